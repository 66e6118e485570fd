package dev.holdfast.drones;

import dev.holdfast.drones.Release.Status;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A ledger in memory, the fleet that follows it, and what a conductor would write. */
final class Books implements AutoCloseable {
  static final Artifact ARTIFACT = artifact(Map.of("web", "run", "worker", "work"));

  final MemoryStore store = new MemoryStore();
  final Ledger ledger;
  final Follower<Fleet> follower;

  Books() throws StoreException {
    ledger =
        Ledger.open(
            store,
            Kinds.of(
                App.KIND,
                Release.KIND,
                ConfigVars.KIND,
                Instance.KIND,
                Crash.KIND,
                Route.KIND,
                Service.KIND,
                Endpoint.KIND),
            LedgerConfig.defaults(),
            Time.system());
    follower = new Follower<>("fleet", ledger, Fleet.FOLD, Time.system());
    follower.start();
  }

  static Artifact artifact(Map<String, String> types) {
    return new Artifact("0".repeat(64), 1, new Procfile(types));
  }

  Fleet fleet() {
    try {
      follower.awaitApplied(ledger.head(), Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return follower.view().value();
  }

  Outcome<Receipt> append(Transaction transaction) {
    return ledger.append(transaction);
  }

  /** Appends and waits until everybody who asks the follower knows. */
  Outcome<Receipt> write(Transaction transaction) {
    var outcome = ledger.append(transaction);
    fleet();
    return outcome;
  }

  /** The release came that far. */
  void settle(String app, int version, Status status) {
    var release = fleet().release(app, version);
    var found = fleet().versioned(app);
    if (release == null || found == null) {
      throw new AssertionError("no v" + version + " of " + app);
    }
    var transaction = Transaction.by("test");
    transaction.put(
        Release.KIND,
        release.key(),
        status == Status.FAILED ? release.failed("broken") : release.in(status),
        Transaction.PRESENT);
    if (status == Status.SUCCEEDED) {
      transaction.put(
          App.KIND, App.key(app), found.value().withRelease(version), Transaction.PRESENT);
    }
    write(transaction).orThrow();
  }

  /** An instance that holds its drone. */
  Instance place(String app, String type, int release, int drone, Instance.State state) {
    var fleet = fleet();
    var lease = fleet.leases().get("lease/" + Instance.droneLease(drone));
    long epoch = lease == null ? 1 : lease.revision() + 1;
    var instance =
        new Instance(
            app,
            type,
            1,
            release,
            drone,
            epoch,
            type.equals("web") ? 20_000 + drone : 0,
            state,
            Time.system().now());
    write(
            Transaction.by("test")
                .grant(instance.droneLease(), app, Duration.ofHours(1), Transaction.at(epoch - 1))
                .put(Instance.KIND, instance.key(), instance, Transaction.ABSENT))
        .orThrow();
    return instance;
  }

  List<Integer> versions(String app) {
    return fleet().releasesOf(app).stream().map(Release::version).sorted().toList();
  }

  @Override
  public void close() {
    follower.close();
    ledger.close();
  }
}
