-- All times are the database's, so that workers on several machines agree about leases; now() and not clock_timestamp(),
-- because only a stable time can be looked up in an index, and every statement is a transaction of its own. Rows are
-- locked with SKIP LOCKED or owned by token: no statement waits for another worker.

-- name: claim
-- The named deliveries that are to be sent now. One that was attempted before waits for its time; one that never was
-- is sent at once, because its time is only the grace that the due-scan leaves to Kafka.
with wanted as (
  select d.tenant, d.id, d.user_id
  from unnest($4::text[], $5::uuid[]) as k (tenant, id)
  join deliveries d on d.tenant = k.tenant and d.id = k.id
  where d.channel = $1
    and (d.state = 'planned' and d.attempts = 0
         or d.state in ('planned', 'deferred', 'unknown') and d.next_attempt_at <= now())
  order by d.tenant, d.id
  for update of d skip locked
), {claimed}

-- name: claim_due
-- The urgent first, and of the same urgency what has waited for longest. A tenth is kept for what is less urgent and has
-- waited for five minutes: under lasting load that goes slowly, but it goes.
with aged as materialized (
  select d.tenant, d.id, d.user_id
  from generate_series(1, 3) as level (urgency)
  cross join lateral (
    select tenant, id, user_id, next_attempt_at from deliveries
    where channel = $1 and urgency = level.urgency and state in ('planned', 'deferred', 'unknown')
      and next_attempt_at <= now() - interval '5 minutes'
    order by next_attempt_at
    limit $4::bigint / 10
    for update skip locked
  ) d
  order by d.next_attempt_at
  limit $4::bigint / 10
), urgent as materialized (
  select d.tenant, d.id, d.user_id
  from generate_series(0, 3) as level (urgency)
  cross join lateral (
    select tenant, id, user_id from deliveries
    where channel = $1 and urgency = level.urgency and state in ('planned', 'deferred', 'unknown')
      and next_attempt_at <= now() and (tenant, id) not in (select tenant, id from aged)
    order by next_attempt_at
    limit $4::bigint
    for update skip locked
  ) d
  limit $4::bigint - (select count(*) from aged)
), wanted as (
  select * from aged union all select * from urgent
), {claimed}

-- name: claimed
-- The common end of both claims: what has expired, whose address is suppressed by now, who is on a socket although they
-- want it only when away, and a digest of which nothing is left end here; the rest is returned with its content.
-- `uncertain_with` is the provider that may have it already.
found as (
  select w.tenant, w.id, d.state = 'unknown' as uncertain,
    case when d.expires_at <= now() then 'expired'
         when d.digest = d.id and not exists (
           select from deliveries i where i.tenant = d.tenant and i.digest = d.id and i.state = 'digested') then 'digest-empty'
         when $1 in ('email', 'sms') and $1 = any (suppressed_channels(w.tenant, u.email, u.phone))
           then 'address-suppressed'
         when d.only_offline and exists (
           select from presence_now p join tenants t on t.tenant = p.tenant
           where p.tenant = d.tenant and p.user_id = d.user_id
             and coalesce(t.settings -> 'onlineStatuses', '["ONLINE"]') ? p.status) then 'recipient-online'
         else 'claimed' end as reason
  from wanted w
  join deliveries d on d.tenant = w.tenant and d.id = w.id
  left join users u on u.tenant = w.tenant and u.user_id = w.user_id
), judged as (
  select tenant, id, uncertain, reason,
    case reason when 'address-suppressed' then 'suppressed' when 'recipient-online' then 'suppressed'
                when 'digest-empty' then 'cancelled' else reason end as state
  from found
), claimed as (
  update deliveries d
  set state = j.state, reason = j.reason,
      claim_token = case j.state when 'claimed' then $2::uuid end,
      lease_until = case j.state when 'claimed' then now() + $3::interval end,
      next_attempt_at = null, updated_at = now()
  from judged j
  where d.tenant = j.tenant and d.id = j.id
  returning d.tenant, d.id, d.notification, d.user_id, d.attempts, d.created_at, d.traceparent, d.state,
    d.expires_at, d.reached, d.digest = d.id as is_digest, d.urgency, case when j.uncertain then d.provider end as uncertain_with
)
select c.tenant, c.id, c.notification, c.user_id, c.attempts, c.created_at, c.traceparent, c.expires_at, c.reached,
       c.uncertain_with, c.urgency, t.settings -> 'providers' -> $1 as providers, u.locale,
       coalesce($1 = 'email' and t.settings -> 'opens' = 'true'::jsonb, false) as opens,
       u.email, u.phone, u.display_name, coalesce(n.type, '') as type,
       coalesce(n.severity, case c.urgency when 0 then 'critical' when 1 then 'high' when 3 then 'low' else 'normal' end) as severity,
       n.title, n.message, n.collapse_key, coalesce(n.extras ->> 'actionUrl', n.data ->> 'ctaUrl') as action_url,
       n.sealed, case when n.sealed is not null then n.data end as closed,
       case when $1 in ('webhook', 'slack', 'discord', 'teams') then (
         select jsonb_build_object('id', e.endpoint_id, 'url', e.url, 'secrets', e.secrets)
         from webhook_endpoints e
         where e.tenant = c.tenant and c.user_id like 'endpoint %' and e.endpoint_id = substr(c.user_id, 10)
           and e.channel = $1 and e.disabled_at is null
       ) end as endpoint,
       case when $1 = 'push' then (
         select jsonb_agg(jsonb_build_object('id', v.device_id, 'platform', v.platform, 'token', v.token, 'keys', v.keys)
                          order by v.device_id)
         from devices v where v.tenant = c.tenant and v.user_id = c.user_id
       ) end as devices,
       case when $1 in ('webhook', 'email', 'push', 'sms') then
         jsonb_build_object('event', n.event, 'name', n.name, 'metadata', n.metadata, 'data', n.data)
         || jsonb_strip_nulls(jsonb_build_object('actor', n.extras -> 'actor', 'related', n.extras -> 'related'))
       end as document,
       case when c.is_digest then (
         select jsonb_agg(jsonb_build_object('title', m.title, 'message', m.message, 'actionUrl', m.action_url,
                                             'type', m.type)
                          order by m.accepted_at)
         from (
           select o.title, o.message, o.type, o.accepted_at,
             coalesce(o.extras ->> 'actionUrl', case when o.sealed -> 'values' ? 'ctaUrl' then null else o.data ->> 'ctaUrl'
             end) as action_url
           from deliveries i
           join notifications o on o.tenant = i.tenant and o.id = i.notification
           where i.tenant = c.tenant and i.digest = c.id and i.state = 'digested'
           order by o.accepted_at desc limit 100
         ) m
       ) end as items
from claimed c
left join users u on u.tenant = c.tenant and u.user_id = c.user_id
left join notifications n on n.tenant = c.tenant and n.id = c.notification
left join tenants t on t.tenant = c.tenant
where c.state = 'claimed'

-- name: turn
-- Another provider is asked now, as the one before has surely not taken it: it has the whole lease.
update deliveries
set provider = $5, lease_until = now() + $1::interval
where tenant = $2 and id = $3 and claim_token = $4 and state = 'sending' and lease_until > now()
returning id

-- name: exchange
-- What has ended is recorded, and as many begin in its place: one statement, so that no more is ever marked as being sent
-- than a worker's calls, whenever it dies. An outcome counts only with its token. Where the provider's call-back was
-- faster than its answer, its word stands. $10–$17 are the providers that were asked, each with the number of its result.
-- The number of an attempt goes on after a replay, which counts from zero again. Who is asked first is written down before
-- the call ($19–$22): of a process that is gone, a repeat goes to the same.
with result as (
  select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::float8[], $7::boolean[],
                       $8::text[], $9::text[])
    with ordinality as k (tenant, id, token, state, reason, delay, counted, provider, provider_message_id, n)
), recorded as (
  update deliveries d
  set state = case when d.state in ('claimed', 'sending') then r.state else d.state end,
      reason = case when d.state in ('claimed', 'sending') then r.reason else d.reason end,
      attempts = d.attempts + r.counted::int,
      next_attempt_at = case when d.state in ('claimed', 'sending') then now() + make_interval(secs => r.delay)
                             else d.next_attempt_at end,
      claim_token = null, lease_until = null, provider = coalesce(r.provider, d.provider),
      provider_message_id = coalesce(r.provider_message_id, d.provider_message_id), updated_at = now()
  from result r
  where d.tenant = r.tenant and d.id = r.id and d.claim_token = r.token
    and d.state in ('claimed', 'sending', 'delivered', 'failed', 'bounced')
  returning d.tenant, d.id, r.n
), attempted as (
  insert into delivery_attempts
    (tenant, delivery, attempt, outcome, reason, code, detail, provider, started_at, duration_ms)
  select r.tenant, r.id,
         row_number() over (partition by r.n order by a.place)
         + coalesce((select max(o.attempt) from delivery_attempts o where o.tenant = r.tenant and o.delivery = r.id), 0),
         a.outcome, a.reason, a.code, a.detail, a.provider, a.started_at, a.duration_ms
  from unnest($10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::timestamptz[],
              $17::int[])
    with ordinality as a (n, outcome, reason, code, detail, provider, started_at, duration_ms, place)
  join recorded r on r.n = a.n
), begun as (
  update deliveries d
  set state = 'sending', reason = 'sending', lease_until = now() + $18::interval,
      provider = coalesce(k.provider, d.provider), updated_at = now()
  from unnest($19::text[], $20::uuid[], $21::uuid[], $22::text[]) as k (tenant, id, token, provider)
  where d.tenant = k.tenant and d.id = k.id and d.claim_token = k.token and d.state = 'claimed'
    and d.lease_until > now()
  returning d.tenant, d.id
)
select tenant, id, false as begun from recorded union all select tenant, id, true from begun

-- name: give_back
update deliveries d
set state = 'planned', reason = $1, next_attempt_at = now() + make_interval(secs => k.delay),
    claim_token = null, lease_until = null, updated_at = now()
from unnest($2::float8[], $3::text[], $4::uuid[], $5::uuid[]) as k (delay, tenant, id, token)
where d.tenant = k.tenant and d.id = k.id and d.claim_token = k.token and d.state = 'claimed'

-- name: reap
-- An expired claim was never sent: it is planned again. Of an expired sending nobody knows what became: that is an
-- attempt, and unless the channel's receivers can tell a repeat ($2) it stays unknown.
with expired as (
  select tenant, id, state as held
  from deliveries
  where channel = $1 and state in ('claimed', 'sending') and lease_until < now()
  limit $3
  for update skip locked
), ended as (
  update deliveries d
  set state = case e.held when 'claimed' then 'planned' else 'unknown' end,
      reason = case e.held when 'claimed' then 'lease-expired' else 'outcome-unknown' end,
      attempts = d.attempts + (e.held = 'sending')::int,
      next_attempt_at = case when e.held = 'claimed' or $2::boolean then now() end,
      claim_token = null, lease_until = null, updated_at = now()
  from expired e
  where d.tenant = e.tenant and d.id = e.id
  returning d.tenant, d.id, e.held, d.provider
), attempted as (
  insert into delivery_attempts (tenant, delivery, attempt, outcome, reason, provider, started_at, duration_ms)
  select tenant, id,
         1 + coalesce((select max(a.attempt) from delivery_attempts a where a.tenant = e.tenant and a.delivery = e.id), 0),
         'unknown', 'lease-expired', coalesce(e.provider, $4), now(), 0
  from ended e where held = 'sending'
)
select count(*) filter (where held = 'claimed') as planned, count(*) filter (where held = 'sending') as unknown from ended

-- name: unburied
with wanted as (
  select tenant, id
  from deliveries
  where channel = $1 and state = 'failed' and next_attempt_at <= now()
  order by next_attempt_at
  limit $3
  for update skip locked
)
update deliveries d
set next_attempt_at = now() + $2::interval
from wanted w
where d.tenant = w.tenant and d.id = w.id
returning d.tenant, d.id, d.notification, d.channel, d.reason, d.attempts, d.created_at, d.traceparent

-- name: buried
update deliveries d
set next_attempt_at = null
from unnest($1::text[], $2::uuid[]) as k (tenant, id)
where d.tenant = k.tenant and d.id = k.id and d.state = 'failed'

-- name: due
select count(*) from (
  select from deliveries
  where channel = $1 and state in ('planned', 'deferred', 'unknown') and next_attempt_at <= now()
  limit $2
) as due
