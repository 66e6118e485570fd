package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The nine poisons of drill H1, beside the writer and beneath it. */
class PoisonTest extends PoisonStage {
  private record Anything(Object any) {}

  @ParameterizedTest
  @EnumSource(
      value = Poison.class,
      names = {"BROKEN_PAYLOAD", "UNKNOWN_TYPE", "FUTURE_SCHEMA", "TEN_MEBIBYTES", "DEEP_NESTING"})
  void theWriterRefusesWhatFollowersCouldNotRead(Poison poison) throws Exception {
    Object deep = "x";
    for (int i = 0; i < 100; i++) {
      deep = List.of(deep);
    }
    var name = poison == Poison.UNKNOWN_TYPE ? "moon" : "service";
    int schema = poison == Poison.FUTURE_SCHEMA ? 9 : 1;
    var value =
        switch (poison) {
          case TEN_MEBIBYTES -> "x".repeat(10 << 20);
          case DEEP_NESTING -> deep;
          default -> "x";
        };
    long before = ledger.head();
    var kind = Kind.open(name, schema, Anything.class);
    var outcome =
        ledger.append(
            Transaction.by("poisoner")
                .put(kind, "service/s1", new Anything(value), Transaction.ANY));
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Refused.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Invalid.class));
    assertThat(ledger.head()).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(Poison.class)
  void beneathTheWriterItIsNeverServedAndNeverFatal(Poison poison) throws Exception {
    var follower = follow(feed);
    var before = content(follower);
    long last = inject(poison);
    switch (poison.row) {
      case QUARANTINES ->
          await(() ->
              follower.standing() instanceof Standing.Quarantining
                  && follower.view().position() >= last);
      case FREEZES -> await(() -> follower.standing() instanceof Standing.Frozen);
      case PASSES -> await(() -> follower.view().position() >= last);
    }
    assertThat(content(follower)).containsAllEntriesOf(before).doesNotContainKey("service/moon");
    assertThat(follower.report().head()).isEqualTo(last); // it knows how far behind it is

    decide(follower, poison, last);
    await(() ->
        follower.standing() instanceof Standing.Following
            && follower.view().position() >= store.head());
    feed.beat();
    await(() -> follower.report().agreedAt() == store.head());
    assertThat(follower.report().divergence()).isNull();
  }

  /** What the verbs skip and repair write. */
  private void decide(Follower<?> follower, Poison poison, long last) {
    long at = last;
    var blocked = follower.report().blocked();
    if (blocked != null) {
      at++;
      var action = poison == Poison.MASS_DELETION ? Verdict.Action.APPLY : Verdict.Action.SKIP;
      var verdict = new Verdict(blocked.from(), blocked.through(), action, "drill");
      store.poison(
          at,
          Envelope.encode(
              new Entry(
                  at,
                  Verdict.key(verdict.from()),
                  "verdict",
                  1,
                  1,
                  Instant.EPOCH,
                  "operator",
                  false,
                  Verdict.KIND.encode(verdict))));
    } else if (poison.row == Row.QUARANTINES) {
      at++;
      store.poison(at, Envelope.encode(good(at, "s1", 3)));
    }
  }

  @Test
  void massDeletionIsHeldBackBeforeAnyOfItAndUndoneByRepair() throws Exception {
    var follower = follow(feed);
    long last = inject(Poison.MASS_DELETION);
    await(() -> follower.standing() instanceof Standing.Frozen);
    assertThat(follower.view().position()).isEqualTo(LIVE);
    assertThat(((Standing.Frozen) follower.standing()).cause())
        .contains("delete 60 of 100 keys of kind service");
    var verdict = new Verdict(LIVE + 1, LIVE + 60, Verdict.Action.SKIP, "no");
    store.poison(
        last + 1,
        Envelope.encode(
            new Entry(
                last + 1,
                Verdict.key(LIVE + 1),
                "verdict",
                1,
                1,
                Instant.EPOCH,
                "operator",
                false,
                Verdict.KIND.encode(verdict))));
    for (int i = 0; i < 60; i++) {
      store.poison(last + 2 + i, Envelope.encode(good(last + 2 + i, "s" + i, 3)));
    }
    await(() -> follower.view().position() >= last + 61);
    await(() -> follower.standing().equals(new Standing.Following())); // said a step later
    assertThat(content(follower)).hasSize(LIVE + 1);
    feed.beat();
    await(() -> follower.report().agreedAt() == store.head());
  }

  @Test
  void aHeldFollowerAppliesNothingAndHearsTheHead() throws Exception {
    var follower = follow(ledger);
    follower.hold("freeze-stream");
    await(() -> follower.standing() instanceof Standing.Frozen);
    put("new").orThrow();
    await(() -> follower.report().lag() == 1);
    assertThat(content(follower)).hasSize(LIVE);
    follower.release();
    await(() -> content(follower).size() == LIVE + 1);
  }

  @Test
  void theWriterAsksTheFollowersFirst() throws Exception {
    var picky =
        new Follower<>(
            "picky",
            ledger,
            new Fold<String>() {
              @Override
              public String start() {
                return "";
              }

              @Override
              public String apply(String view, Entry entry) {
                if (entry.key().endsWith("/odd")) {
                  throw new IllegalStateException("odd");
                }
                while (entry.key().endsWith("/endless") && !ended) {
                  Thread.onSpinWait();
                }
                return view;
              }
            },
            TIME);
    parts.add(picky);
    ledger.rehearse(picky);
    assertThat(refusal(put("odd"))).contains("odd").contains("picky");
    assertThat(refusal(put("endless"))).contains("not applied in");
    put("even").orThrow();
  }

  private static String refusal(Outcome<Receipt> outcome) {
    return switch (outcome) {
      case Outcome.Done<Receipt> done -> "done " + done;
      case Outcome.Refused<Receipt>(var refusal) -> refusal.message();
    };
  }

  @Test
  void itStartsFromItsDiskWhenNobodyAnswersAndSaysSinceWhen() throws Exception {
    var config = FollowerConfig.defaults().withShelf(folder.resolve("shelf"));
    var follower = new Follower<>("first", ledger, NAMES, config, TIME);
    follower.start();
    assertThat(follower.awaitApplied(LIVE, LONG)).isTrue();
    put("new").orThrow();
    assertThat(follower.awaitApplied(LIVE + 1, LONG)).isTrue();
    follower.close();
    var again = new Follower<>("again", new DeadFeed(), NAMES, config, TIME);
    parts.add(again);
    again.start();
    await(() -> again.view().position() == LIVE + 1);
    await(() -> again.standing() instanceof Standing.Stale);
    assertThat(content(again)).isEqualTo(content(follower));
    assertThat(((Standing.Stale) again.standing()).since())
        .isBetween(Instant.now().minusSeconds(60), Instant.now());
  }

  @Test
  void whatItMakesIsComparedWithTheLedger() throws Exception {
    ledger.audit();
    var follower = follow(ledger);
    put("new").orThrow();
    await(() -> follower.report().agreedAt() == ledger.head());
    assertThat(follower.agrees(ledger.reckon())).isTrue();
    assertThat(follower.unshown(ledger, 10)).isEmpty();
  }

  @Test
  void aFoldThatForgetsIsNamedKeyByKey() throws Exception {
    var forgetful =
        new Follower<>(
            "forgetful",
            ledger,
            new Fold<PersistentMap<String, String>>() {
              @Override
              public PersistentMap<String, String> start() {
                return NAMES.start();
              }

              @Override
              public PersistentMap<String, String> apply(
                  PersistentMap<String, String> view, Entry entry) {
                return entry.key().endsWith("/s7") ? view : NAMES.apply(view, entry);
              }

              @Override
              public boolean shows(PersistentMap<String, String> view, Entry entry) {
                return NAMES.shows(view, entry);
              }
            },
            TIME);
    parts.add(forgetful);
    forgetful.start();
    await(() -> forgetful.standing() instanceof Standing.Quarantining);
    assertThat(forgetful.report().quarantine()).containsOnlyKeys("service/s7");
    assertThat(forgetful.report().counts().misapplied()).isPositive();
    assertThat(forgetful.unshown(ledger, 10)).containsExactly("service/s7");
  }

  /** Nobody answers. */
  private static final class DeadFeed implements Feed {
    @Override
    public long snapshot(Consumer<Sealed> each) throws StoreException {
      throw new StoreException("nobody answers");
    }

    @Override
    public List<Sealed> read(long after, int max) throws StoreException {
      throw new StoreException("nobody answers");
    }

    @Override
    public long awaitBeyond(long position, Duration wait) throws InterruptedException {
      Thread.sleep(wait);
      return 0;
    }

    @Override
    public boolean beats() {
      return true;
    }
  }
}
