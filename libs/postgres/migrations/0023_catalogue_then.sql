-- The router decides the members of a group by the catalogue of the time at which their notification was planned.
grant select on notification_types to carillon_router;
create policy router on notification_types for select to carillon_router using (true);
