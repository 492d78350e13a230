-- Mails that were opened.

-- name: record
-- Once, and only while the tenant wants it.
update deliveries d set opened_at = clock_timestamp()
from tenants t
where d.tenant = $1 and d.id = $2 and d.channel = 'email' and d.opened_at is null
  and t.tenant = d.tenant and t.settings -> 'opens' = 'true'::jsonb
returning d.id
