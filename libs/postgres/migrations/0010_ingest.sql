-- What ingest reads besides its own tables: who listens to a person's room (to tell them of changed memberships), and
-- which notification an Idempotency-Key stands for (to tell "accepted" from "unknown" before the router has planned it).

create index idempotency_keys_by_id on idempotency_keys (tenant, id);
grant select on room_interest, gateway_slots to carillon_ingest;
