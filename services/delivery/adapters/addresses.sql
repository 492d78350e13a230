-- name: disable_endpoint
-- Only while it still leads to where nobody is any more.
update webhook_endpoints
set disabled_at = now(), disabled_reason = 'address-gone'
where tenant = $1 and endpoint_id = $2 and url = $3 and disabled_at is null

-- name: remove_device
-- Only with the token that the push service was asked for: the device may have a new one by now.
delete from devices where tenant = $1 and user_id = $2 and device_id = $3 and token = $4

-- name: reached
update deliveries set reached = reached || $4::text[] where tenant = $1 and id = $2 and claim_token = $3
