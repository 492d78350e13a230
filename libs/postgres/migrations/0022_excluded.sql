-- Who is excluded from a notification that a group is addressed by has a receipt that hides it, from the beginning.
grant select, insert on receipts to carillon_router;
