-- What delivery's due-scan looks for: planned and deferred work, uncertain attempts that are to be repeated
-- (`unknown` with a time), and failures whose dead letter is not known to be written (`failed` with a time).
drop index deliveries_due;
create index deliveries_due on deliveries (channel, next_attempt_at)
  where state in ('planned', 'deferred', 'unknown') and next_attempt_at is not null;
create index deliveries_unburied on deliveries (channel, next_attempt_at)
  where state = 'failed' and next_attempt_at is not null;
