-- Who wrote last, and how far. One row; who writes locks it, and its epoch fences who came before.
CREATE TABLE ledger_head (
  id bigint PRIMARY KEY CHECK (id = 1),
  epoch bigint NOT NULL CHECK (epoch >= 0),
  holder text NOT NULL,
  position bigint NOT NULL CHECK (position >= 0),
  floor bigint NOT NULL CHECK (floor >= 0)
);

INSERT INTO ledger_head (id, epoch, holder, position, floor) VALUES (1, 0, '', 0, 0);

-- The log itself. Positions are given out under the lock of ledger_head, dense from 1.
CREATE TABLE ledger (
  position bigint PRIMARY KEY CHECK (position >= 1),
  key text COLLATE "C" NOT NULL,
  envelope bytea NOT NULL
);

-- Where every key that was ever written stands.
CREATE TABLE head (
  key text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL UNIQUE REFERENCES ledger (position),
  revision bigint NOT NULL CHECK (revision >= 1),
  deleted boolean NOT NULL,
  kind text COLLATE "C" NOT NULL
);

-- Who holds what now. The primary key is what keeps two holders from one drone.
CREATE TABLE lease (
  key text COLLATE "C" PRIMARY KEY,
  holder text NOT NULL,
  epoch bigint NOT NULL CHECK (epoch >= 1),
  parent text,
  deadline_ms bigint,
  CHECK ((parent IS NULL) <> (deadline_ms IS NULL))
);

-- The last batch of each session that writes, so that a commit whose answer was lost can be asked
-- for.
CREATE TABLE session (
  holder text PRIMARY KEY,
  batch bigint NOT NULL,
  at_ms bigint NOT NULL
);

-- Facts about this ledger as a whole.
CREATE TABLE meta (
  name text PRIMARY KEY,
  value text NOT NULL
);
