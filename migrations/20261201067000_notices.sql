-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- How clients are told what becomes of their appointments. NULL: as the program has it.
ALTER TABLE tenants ADD COLUMN notices text;
