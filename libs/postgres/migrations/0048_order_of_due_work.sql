-- Of what is due on a channel the urgent is sent first.
drop index deliveries_due;
create index deliveries_due on deliveries (channel, urgency, next_attempt_at)
  where state in ('planned', 'deferred', 'unknown') and next_attempt_at is not null;
