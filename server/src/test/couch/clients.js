'use strict';
// Three clients mirror the database at argv[2]; each line on standard input is answered by one line:
// what each of them holds now, as {client: {id: revision}}, and how often each asked anew.
const path = require('path');
const readline = require('readline');

const url = process.argv[2];
const directory = process.argv[3];
const user = new URL(url);
const mirrors = { follow: {}, nano: {} };
const notes = { follow: 0, nano: 0, pouchdb: 0 };

function take(mirror, change) {
  if (change.deleted) {
    delete mirror[change.id];
  } else {
    const revision = change.changes[0].rev;
    if (change.doc._rev !== revision || change.doc._id !== change.id) {
      throw new Error('document and change differ: ' + JSON.stringify(change));
    }
    mirror[change.id] = revision;
  }
}

// follow gives up when the database cannot be confirmed at its start, and never later.
const follow = require('follow');
const feed = new follow.Feed({
  db: url, since: 0, include_docs: true, heartbeat: 1000, initial_retry_delay: 200,
  max_retry_seconds: 1,
});
feed.on('change', change => take(mirrors.follow, change));
feed.on('retry', () => notes.follow++);
feed.follow();

// nano waits for five seconds after a failure.
const nano = require('nano')({
  url: user.origin + path.posix.dirname(user.pathname), parseUrl: false,
  headers: {
    Authorization: 'Basic ' + Buffer.from(user.username + ':' + user.password).toString('base64'),
  },
});
nano.db.use(path.posix.basename(user.pathname)).changesReader
  .start({ since: 0, includeDocs: true, timeout: 2000, batchSize: 7 })
  .on('change', change => take(mirrors.nano, change))
  .on('error', () => notes.nano++);

const PouchDB = require('pouchdb');
const local = new PouchDB(path.join(directory, 'pouch'));
PouchDB.replicate(url, local, { live: true, retry: true, heartbeat: 1000, back_off_function: () => 200 })
  .on('paused', problem => { if (problem) notes.pouchdb++; })
  .on('error', problem => { process.stderr.write('pouchdb: ' + problem + '\n'); });

readline.createInterface({ input: process.stdin }).on('line', async () => {
  const pouch = {};
  const all = await local.allDocs({ include_docs: true, conflicts: true });
  for (const row of all.rows) {
    if (row.doc._conflicts) {
      throw new Error('a conflict where nobody writes: ' + JSON.stringify(row.doc));
    }
    pouch[row.id] = row.value.rev;
  }
  process.stdout.write(JSON.stringify({ ...mirrors, pouchdb: pouch, notes }) + '\n');
}).on('close', () => process.exit(0));
