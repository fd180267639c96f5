CREATE TABLE `identity_keys` (
	`issuer` text NOT NULL,
	`jwks` text NOT NULL,
	`keys` text NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`issuer`, `jwks`)
);
--> statement-breakpoint
CREATE TABLE `inbox_seen` (
	`source` text NOT NULL,
	`key` text NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`source`, `key`)
);
--> statement-breakpoint
CREATE INDEX `inbox_seen_by_age` ON `inbox_seen` (`at_ms`);