-- A push is one delivery to all devices of a person: those that have taken it are left out when it is repeated.
alter table deliveries add column reached text[] not null default '{}';
comment on column deliveries.reached is 'Ids of devices that have taken it, while others of the person have not yet.';

-- A device that its push service does not know any more is removed.
grant delete on devices to carillon_delivery;
