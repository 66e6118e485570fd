package dev.holdfast.limits;

import dev.holdfast.limits.RodScope.Extent;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The register of control rods: what each does, where it may act, and what its levels mean.
 * Immutable.
 *
 * <p>A level is the share of the budget that a rod leaves, in percent: 0 leaves nothing, 100 is as
 * if it were lifted. Rods that are only in or out have words for their levels.
 */
@SuppressWarnings("ImmutableEnumChecker") // its lists are List.of
public enum KnownRod {
  /** No releases. */
  DENY_DEPLOYS(
      "deny-deploys",
      "Deploys, rollbacks and changes of config vars are refused.",
      "releases refused",
      List.of(Extent.GLOBAL, Extent.NODE, Extent.APP),
      List.of(
          new Step("on", 0, "no release is accepted"),
          new Step("rollbacks", 50, "only rollbacks are accepted"))),

  /** Views stay as they are. */
  FREEZE_STREAM(
      "freeze-stream",
      "Followers apply no entries: traffic goes on with what is known now.",
      "reads withheld",
      List.of(Extent.GLOBAL, Extent.NODE),
      List.of(new Step("on", 0, "nothing is applied"))),

  /** The API shows and does not change. */
  API_READ_ONLY(
      "api-read-only",
      "The API refuses every change, but rods and the revocation of tokens.",
      "calls refused",
      List.of(Extent.GLOBAL, Extent.NODE),
      List.of(new Step("on", 0, "no change is accepted"))),

  /** Visitors see the maintenance page. */
  MAINTENANCE(
      "maintenance",
      "Every request gets the app's maintenance page (H80).",
      "requests refused",
      List.of(Extent.GLOBAL, Extent.NODE, Extent.APP, Extent.ACCOUNT),
      List.of(new Step("on", 0, "no request reaches the app"))),

  /** Visitors wait. */
  PAUSE(
      "pause",
      "Requests are held, within a bound in number and time, until the rod is lifted.",
      "requests held",
      List.of(Extent.GLOBAL, Extent.NODE, Extent.APP, Extent.ACCOUNT),
      List.of(new Step("on", 0, "every request waits"))),

  /** A crowd comes in slowly. */
  CONNECT_RATE(
      "connect-rate",
      "Connections and WebSocket handshakes are let in at a share of the configured rate.",
      "connections paced",
      List.of(Extent.GLOBAL, Extent.NODE),
      List.of()),

  /** What runs is left alone, nothing new is started. */
  PROVISIONING_OFF(
      "provisioning-off",
      "No process is started for a deploy or a scale; what crashed is started again.",
      "starts put off",
      List.of(Extent.GLOBAL, Extent.NODE, Extent.APP),
      List.of(new Step("on", 0, "nothing new is started")));

  /** The level of a rod that is not set. */
  public static final int WHOLE = 100;

  private static final String PERCENT = "%";

  private final String name;
  private final String meaning;
  private final String effect;
  private final List<Extent> extents;
  private final List<Step> steps;

  /**
   * A level with a name.
   *
   * @param word as people write it
   * @param level the share that is left, 0 to 99
   * @param meaning half a sentence
   */
  public record Step(String word, int level, String meaning) {}

  KnownRod(String name, String meaning, String effect, List<Extent> extents, List<Step> steps) {
    this.name = name;
    this.meaning = meaning;
    this.effect = effect;
    this.extents = extents;
    this.steps = steps;
  }

  /** As people write it. */
  public String word() {
    return name;
  }

  /** What it does, one sentence. */
  public String meaning() {
    return meaning;
  }

  /** What its counter counts. */
  public String effect() {
    return effect;
  }

  /** Where it may act. */
  public List<Extent> extents() {
    return extents;
  }

  /** Whether it may act there. */
  public boolean knows(Extent extent) {
    return extents.contains(extent);
  }

  /** Its levels with a name; empty when it takes a share in percent. */
  public List<Step> steps() {
    return steps;
  }

  /** What levels there are, half a sentence. */
  public String levels() {
    return steps.isEmpty()
        ? "0% to 99% of the configured rate"
        : steps.stream()
            .map(step -> step.word() + ": " + step.meaning())
            .collect(Collectors.joining("; "));
  }

  /**
   * The level that the text says.
   *
   * @throws IllegalArgumentException when this rod does not have it, naming those that it has
   */
  public int level(String text) {
    for (var step : steps) {
      if (step.word().equals(text)) {
        return step.level();
      }
    }
    if (steps.isEmpty() && text.endsWith(PERCENT) && text.matches("[0-9]{1,2}%")) {
      return Integer.parseInt(text.substring(0, text.length() - 1));
    }
    throw new IllegalArgumentException(
        Check.message("level of " + name, text, levels() + "; to take it out, lift it"));
  }

  /** The level as people read it. */
  public String show(int level) {
    if (steps.isEmpty()) {
      return level + PERCENT;
    }
    var nearest = steps.getFirst();
    for (var step : steps) {
      if (step.level() <= level) {
        nearest = step;
      }
    }
    return nearest.word();
  }

  /** The rod of that name, or null. */
  public static @Nullable KnownRod find(String name) {
    for (var rod : values()) {
      if (rod.name.equals(name)) {
        return rod;
      }
    }
    return null;
  }

  /**
   * The rod of that name.
   *
   * @throws IllegalArgumentException when there is none, naming those that there are
   */
  public static KnownRod of(String name) {
    var rod = find(name);
    if (rod == null) {
      throw new IllegalArgumentException(Check.message("rod", name, "one of " + names()));
    }
    return rod;
  }

  private static String names() {
    return Arrays.stream(values()).map(KnownRod::word).collect(Collectors.joining(", "));
  }
}
