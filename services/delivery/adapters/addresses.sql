-- name: disable_endpoint
-- Only while it still leads to where nobody is any more.
update webhook_endpoints
set disabled_at = now(), disabled_reason = 'address-gone'
where tenant = $1 and endpoint_id = $2 and url = $3 and disabled_at is null
