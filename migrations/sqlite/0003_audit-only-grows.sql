-- The audit log is only added to. What was written before there was a chain may be given its hash, once.
CREATE TRIGGER `audit_never_changes` BEFORE UPDATE ON `audit`
WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.seq <> OLD.seq OR NEW.at_ms <> OLD.at_ms OR NEW.entry <> OLD.entry
BEGIN SELECT RAISE(ABORT, 'a row of the audit log is never changed'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_never_shrinks` BEFORE DELETE ON `audit`
BEGIN SELECT RAISE(ABORT, 'a row of the audit log is never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_grows_at_its_end` BEFORE INSERT ON `audit`
WHEN 0 < NEW.seq AND NEW.seq <= (SELECT coalesce(max(seq), 0) FROM `audit`)
BEGIN SELECT RAISE(ABORT, 'a row of the audit log is never replaced'); END;
