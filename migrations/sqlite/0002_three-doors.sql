CREATE TABLE `endpoints` (
	`notifier` text PRIMARY KEY NOT NULL,
	`disabled_at_ms` integer,
	`reason` text
);
--> statement-breakpoint
CREATE TABLE `flags` (
	`source` text NOT NULL,
	`flag` text NOT NULL,
	`row` text NOT NULL,
	`read_at_ms` integer NOT NULL,
	PRIMARY KEY(`source`, `flag`)
);
--> statement-breakpoint
CREATE TABLE `idempotency` (
	`principal` text NOT NULL,
	`key` text NOT NULL,
	`digest` text NOT NULL,
	`answer` text NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`principal`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_by_age` ON `idempotency` (`at_ms`);--> statement-breakpoint
CREATE TABLE `inbox` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`source` text NOT NULL,
	`key` text NOT NULL,
	`row` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`detail` text,
	`received_at_ms` integer NOT NULL,
	`due_at_ms` integer NOT NULL,
	`lease_until_ms` integer NOT NULL,
	`settled_at_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `inbox_once` ON `inbox` (`source`,`key`);--> statement-breakpoint
CREATE INDEX `inbox_pending` ON `inbox` (`due_at_ms`) WHERE state = 'pending';--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`digest` text NOT NULL,
	`name` text NOT NULL,
	`parent` text,
	`row` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	`last_used_at_ms` integer,
	`revoked_at_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_by_digest` ON `tokens` (`digest`);--> statement-breakpoint
CREATE INDEX `tokens_by_parent` ON `tokens` (`parent`);--> statement-breakpoint
ALTER TABLE `audit` ADD `hash` text;--> statement-breakpoint
CREATE INDEX `outbox_parked` ON `outbox` (`notifier`,`seq`) WHERE state = 'parked';--> statement-breakpoint
CREATE INDEX `outbox_by_notifier` ON `outbox` (`notifier`,`seq`);--> statement-breakpoint
CREATE INDEX `outbox_by_subject` ON `outbox` (`subject`,`seq`);--> statement-breakpoint
CREATE INDEX `releases_by_facts` ON `releases` (`created_at_ms`,`id`,`service`,`phase`,state ->> '$.version',state ->> '$.createdBy.name');