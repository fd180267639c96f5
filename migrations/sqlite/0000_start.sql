CREATE TABLE `audit` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at_ms` integer NOT NULL,
	`entry` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `check_states` (
	`release` text NOT NULL,
	`check` text NOT NULL,
	`row` text NOT NULL,
	PRIMARY KEY(`release`, `check`)
);
--> statement-breakpoint
CREATE TABLE `events` (
	`position` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`subject` text NOT NULL,
	`seq` integer NOT NULL,
	`type` text NOT NULL,
	`at_ms` integer NOT NULL,
	`event` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `events_by_subject` ON `events` (`subject`,`seq`);--> statement-breakpoint
CREATE TABLE `intents` (
	`target` text NOT NULL,
	`seq` integer NOT NULL,
	`release` text,
	`second_slot_bp` integer NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`target`, `seq`)
);
--> statement-breakpoint
CREATE TABLE `measurements` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`release` text NOT NULL,
	`check` text NOT NULL,
	`end_ms` integer NOT NULL,
	`row` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `measurements_once` ON `measurements` (`release`,`check`,`end_ms`);--> statement-breakpoint
CREATE INDEX `measurements_by_end` ON `measurements` (`release`,`id`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`notifier` text NOT NULL,
	`subject` text NOT NULL,
	`event` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`detail` text,
	`created_at_ms` integer NOT NULL,
	`due_at_ms` integer NOT NULL,
	`lease_until_ms` integer NOT NULL,
	`settled_at_ms` integer
);
--> statement-breakpoint
CREATE INDEX `outbox_pending` ON `outbox` (`notifier`,`subject`,`seq`) WHERE state = 'pending';--> statement-breakpoint
CREATE TABLE `plans` (
	`name` text NOT NULL,
	`version` integer NOT NULL,
	`service` text NOT NULL,
	`document` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`name`, `version`)
);
--> statement-breakpoint
CREATE TABLE `releases` (
	`id` text PRIMARY KEY NOT NULL,
	`service` text NOT NULL,
	`phase` text NOT NULL,
	`revision` integer NOT NULL,
	`state_version` integer NOT NULL,
	`state` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`ended` integer NOT NULL,
	`due_at_ms` integer NOT NULL,
	`lease_worker` text,
	`lease_until_ms` integer NOT NULL,
	`crashes` integer NOT NULL,
	`last_error` text
);
--> statement-breakpoint
CREATE INDEX `releases_by_created` ON `releases` (`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `releases_by_service` ON `releases` (`service`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `releases_by_due` ON `releases` (`due_at_ms`) WHERE ended = 0;--> statement-breakpoint
CREATE UNIQUE INDEX `releases_one_active` ON `releases` (`service`) WHERE ended = 0 and phase <> 'queued';--> statement-breakpoint
CREATE TABLE `services` (
	`name` text PRIMARY KEY NOT NULL,
	`stable_slot` text NOT NULL,
	`stable_version` text,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `targets` (
	`id` text PRIMARY KEY NOT NULL,
	`service` text NOT NULL,
	`spec` text NOT NULL,
	`managed` integer NOT NULL,
	`desired_second_slot_bp` integer NOT NULL,
	`seq` integer NOT NULL,
	`verified_second_slot_bp` integer,
	`verified_seq` integer NOT NULL,
	`verified_at_ms` integer,
	`boots` text NOT NULL,
	`drift_at_ms` integer,
	`differs` text,
	`unreachable_since_ms` integer,
	`event_seq` integer NOT NULL,
	`due_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `targets_by_due` ON `targets` (`managed`,`due_at_ms`);--> statement-breakpoint
CREATE INDEX `targets_by_service` ON `targets` (`service`);