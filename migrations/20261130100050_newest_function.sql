-- Of which program the function is that was run last: a program replaces those of its own age or older ones, never a
-- newer one's, which may keep what the older one does not know of.
ALTER TABLE repeatable_migrations ADD COLUMN newest_migration bigint NOT NULL DEFAULT 0;
