-- Ingest answers why somebody was or was not told: it reads what decided then, and what hid it since.
grant select on receipts, room_watermarks, mutes, catalogue_releases to carillon_ingest;
create policy explaining on mutes for select to carillon_ingest using (true);
