-- The log itself. Positions are given out by the writer, dense from 1.
CREATE TABLE ledger (
  position INTEGER PRIMARY KEY CHECK (position >= 1),
  key TEXT NOT NULL,
  envelope BLOB NOT NULL
) STRICT;

-- Where every key that was ever written stands.
CREATE TABLE head (
  key TEXT PRIMARY KEY,
  position INTEGER NOT NULL UNIQUE REFERENCES ledger (position),
  revision INTEGER NOT NULL CHECK (revision >= 1),
  deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
  kind TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who holds what now. The primary key is what keeps two holders from one drone.
CREATE TABLE lease (
  key TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  epoch INTEGER NOT NULL CHECK (epoch >= 1),
  parent TEXT,
  deadline_ms INTEGER,
  CHECK ((parent IS NULL) <> (deadline_ms IS NULL))
) STRICT, WITHOUT ROWID;

-- Facts about this ledger as a whole.
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Tells this ledger from any other that ever had the same positions.
INSERT INTO meta (name, value) VALUES ('ledger_id', lower(hex(randomblob(16))));
