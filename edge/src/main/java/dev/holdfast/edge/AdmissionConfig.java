package dev.holdfast.edge;

import dev.holdfast.edge.Limiter.Mode;
import dev.holdfast.limits.Check;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/**
 * Every number of admission. Immutable.
 *
 * @param modes of each limiter; one that is not named is OFF
 * @param rate per account and per client
 * @param share of what is under way
 * @param node when the node is overloaded
 * @param app how an app's limit is learnt, and its waiting room
 * @param connect how connecting is paced
 * @param guard when the machine runs out of something
 * @param blame when an account is found to cause the overload
 */
public record AdmissionConfig(
    Map<Limiter, Mode> modes,
    Rate rate,
    Share share,
    Node node,
    App app,
    Connect connect,
    Guard guard,
    Blame blame) {

  /** Copies what it is given. */
  public AdmissionConfig {
    modes = Map.copyOf(modes);
  }

  /**
   * Rates; off by default, since the apps of a small team have no quota by nature.
   *
   * @param accountPerSecond requests per second of one account
   * @param accountBurst and at once
   * @param clientPerSecond requests per second of one client
   * @param clientBurst and at once
   * @param accountsMax accounts that have a cell at one time
   * @param clientsMax clients that have a cell at one time
   */
  record Rate(
      int accountPerSecond,
      int accountBurst,
      int clientPerSecond,
      int clientBurst,
      int accountsMax,
      int clientsMax) {
    Rate {
      positive("accountPerSecond", accountPerSecond);
      positive("accountBurst", accountBurst);
      positive("clientPerSecond", clientPerSecond);
      positive("clientBurst", clientBurst);
      Check.that(accountsMax >= 8, "accountsMax", accountsMax, ">= 8");
      Check.that(clientsMax >= 8, "clientsMax", clientsMax, ">= 8");
    }
  }

  /**
   * Shares of what is under way; whoever is alone has all of it.
   *
   * @param inFlightMax requests that the node has under way at one time
   * @param account of the node's
   * @param client of one app's limit
   */
  record Share(int inFlightMax, double account, double client) {
    Share {
      positive("inFlightMax", inFlightMax);
      fraction("account", account);
      fraction("client", client);
    }
  }

  /**
   * The node's overload level.
   *
   * @param lagTarget queueing delay of an event loop that is still good
   * @param window how long at most between two decisions
   * @param windowRequests after so many requests a decision comes early
   * @param usageWindow how far back a user's usage counts
   * @param usersMax users whose usage is known, per event loop
   */
  record Node(
      Duration lagTarget, Duration window, int windowRequests, Duration usageWindow, int usersMax) {
    Node {
      positive("lagTarget", lagTarget);
      positive("window", window);
      positive("windowRequests", windowRequests);
      positive("usageWindow", usageWindow);
      Check.that(usersMax >= 8, "usersMax", usersMax, ">= 8");
    }
  }

  /**
   * An app's concurrency and its waiting room.
   *
   * @param min limit per instance, at least
   * @param initial limit per instance at first
   * @param max limit in all, at most
   * @param tolerance how many times slower than at rest an answer may be
   * @param window how long samples are collected
   * @param samplesMin fewer say nothing
   * @param roomMax requests that wait, at most, per event loop
   * @param roomWait how long a request waits at most
   * @param roomPatience how long the first waits before the newest is served first
   * @param streamAfter an answer that took longer to begin says nothing about the app's load
   * @param retryPercent retries per hundred first tries
   * @param idle an app that had no request for so long is forgotten
   */
  record App(
      int min,
      int initial,
      int max,
      double tolerance,
      Duration window,
      int samplesMin,
      int roomMax,
      Duration roomWait,
      Duration roomPatience,
      Duration streamAfter,
      int retryPercent,
      Duration idle) {
    App {
      positive("min", min);
      Check.that(initial >= min, "initial", initial, ">= min " + min);
      Check.that(max >= initial, "max", max, ">= initial " + initial);
      Check.that(tolerance > 1.1, "tolerance", tolerance, "> 1.1");
      positive("window", window);
      positive("samplesMin", samplesMin);
      positive("roomMax", roomMax);
      positive("roomWait", roomWait);
      positive("roomPatience", roomPatience);
      positive("streamAfter", streamAfter);
      Check.that(
          retryPercent >= 1 && retryPercent <= 100, "retryPercent", retryPercent, "1 to 100");
      positive("idle", idle);
    }
  }

  /**
   * Pacing of handshakes.
   *
   * @param perSecond handshakes per second
   * @param burst and at once
   * @param parkMax how long a handshake waits for its slot at most
   * @param parkedMax handshakes that wait at one time, and slots that are reserved
   * @param horizon how far ahead slots are reserved
   * @param grace how long a reserved slot is kept after its time
   */
  record Connect(
      int perSecond, int burst, Duration parkMax, int parkedMax, Duration horizon, Duration grace) {
    Connect {
      positive("perSecond", perSecond);
      positive("burst", burst);
      positive("parkMax", parkMax);
      positive("parkedMax", parkedMax);
      Check.that(horizon.compareTo(parkMax) >= 0, "horizon", horizon, ">= parkMax " + parkMax);
      positive("grace", grace);
    }
  }

  /**
   * Hard guards, each a share of what the machine has.
   *
   * @param descriptors beyond it nothing is accepted
   * @param keepAlive of memory; beyond it connections are closed after their answer
   * @param requests of memory; beyond it no request is taken
   */
  record Guard(double descriptors, double keepAlive, double requests) {
    Guard {
      fraction("descriptors", descriptors);
      fraction("keepAlive", keepAlive);
      fraction("requests", requests);
      Check.that(requests >= keepAlive, "requests", requests, ">= keepAlive " + keepAlive);
    }
  }

  /**
   * Attribution, and the brake that follows from it.
   *
   * @param keysMax keys counted per dimension
   * @param generation how long a sketch collects before it is the older of two
   * @param accountsMin with fewer active accounts nobody is suspected
   * @param share of all cost within ten seconds that makes a suspect
   * @param times as much as normal that makes a suspect
   * @param throttleAfter how long a suspect must go on
   * @param throttleTimes rate of a throttled account, in times of its normal one
   * @param throttlePerSecondMin and never below that
   * @param throttleFor how long
   * @param probation how long the rate then grows by 10 % per second at most
   * @param namesMax names that are remembered
   */
  record Blame(
      int keysMax,
      Duration generation,
      int accountsMin,
      double share,
      double times,
      Duration throttleAfter,
      double throttleTimes,
      int throttlePerSecondMin,
      Duration throttleFor,
      Duration probation,
      int namesMax) {
    Blame {
      Check.that(keysMax >= 2, "keysMax", keysMax, ">= 2");
      positive("generation", generation);
      Check.that(accountsMin >= 2, "accountsMin", accountsMin, ">= 2");
      fraction("share", share);
      Check.that(times > 1, "times", times, "> 1");
      positive("throttleAfter", throttleAfter);
      Check.that(throttleTimes >= 1, "throttleTimes", throttleTimes, ">= 1");
      positive("throttlePerSecondMin", throttlePerSecondMin);
      positive("throttleFor", throttleFor);
      positive("probation", probation);
      Check.that(namesMax >= 8, "namesMax", namesMax, ">= 8");
    }
  }

  /** The numbers of the overload reference; rates are off, everything else is enforced. */
  public static AdmissionConfig defaults() {
    var modes = new EnumMap<Limiter, Mode>(Limiter.class);
    for (var limiter : Limiter.values()) {
      modes.put(limiter, Mode.ENFORCE);
    }
    modes.put(Limiter.ACCOUNT_RATE, Mode.OFF);
    modes.put(Limiter.CLIENT_RATE, Mode.OFF);
    return new AdmissionConfig(
        modes,
        new Rate(200, 400, 50, 200, 10_000, 65_536),
        new Share(4096, 0.25, 0.25),
        new Node(Duration.ofMillis(20), Duration.ofMillis(250), 500, Duration.ofSeconds(60), 4096),
        new App(
            4,
            20,
            1000,
            2.0,
            Duration.ofSeconds(1),
            10,
            1024,
            Duration.ofSeconds(1),
            Duration.ofMillis(200),
            Duration.ofSeconds(10),
            10,
            Duration.ofMinutes(1)),
        new Connect(
            200,
            200,
            Duration.ofSeconds(25),
            10_000,
            Duration.ofSeconds(120),
            Duration.ofSeconds(30)),
        new Guard(0.85, 0.92, 0.95),
        new Blame(
            1024,
            Duration.ofSeconds(10),
            3,
            0.20,
            5,
            Duration.ofSeconds(10),
            1.5,
            10,
            Duration.ofMinutes(5),
            Duration.ofSeconds(60),
            16_384));
  }

  /** The standard with everything that it enforces in another mode. */
  public static AdmissionConfig in(Mode mode) {
    var standard = defaults();
    var changed = new EnumMap<Limiter, Mode>(Limiter.class);
    standard.modes.forEach((limiter, now) -> changed.put(limiter, now == Mode.OFF ? now : mode));
    return new AdmissionConfig(
        changed,
        standard.rate,
        standard.share,
        standard.node,
        standard.app,
        standard.connect,
        standard.guard,
        standard.blame);
  }

  /** The same with another mode of one limiter. */
  AdmissionConfig with(Limiter limiter, Mode mode) {
    var changed = new EnumMap<Limiter, Mode>(Limiter.class);
    changed.putAll(modes);
    changed.put(limiter, mode);
    return new AdmissionConfig(changed, rate, share, node, app, connect, guard, blame);
  }

  /** The same with every limiter in one mode. */
  AdmissionConfig withAll(Mode mode) {
    var changed = new EnumMap<Limiter, Mode>(Limiter.class);
    for (var limiter : Limiter.values()) {
      changed.put(limiter, mode);
    }
    return new AdmissionConfig(changed, rate, share, node, app, connect, guard, blame);
  }

  /** What that limiter does. */
  public Mode mode(Limiter limiter) {
    return modes.getOrDefault(limiter, Mode.OFF);
  }

  private static void positive(String name, int value) {
    Check.that(value >= 1, name, value, ">= 1");
  }

  private static void positive(String name, Duration value) {
    Check.that(value.isPositive(), name, value, "> 0");
  }

  private static void fraction(String name, double value) {
    Check.that(value > 0 && value <= 1, name, value, "in (0, 1]");
  }
}
