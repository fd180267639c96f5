CREATE TABLE `pushed` (
	`service` text NOT NULL,
	`version` text NOT NULL,
	`instance` text NOT NULL,
	`received_at_ms` integer NOT NULL,
	`row` text NOT NULL,
	PRIMARY KEY(`service`, `version`, `instance`)
);
