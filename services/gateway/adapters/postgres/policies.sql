-- name: policies
select resource_type, members, grant_key, url, secrets, cache_seconds, client_events
from resource_policies where tenant = $1;
