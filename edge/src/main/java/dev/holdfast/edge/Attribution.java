package dev.holdfast.edge;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Who causes the load, as of the last second. Immutable.
 *
 * @param at when it was found
 * @param stressed whether the node was overloaded within the last ten seconds
 * @param accounts the costliest accounts of the last ten seconds, costliest first
 * @param clients the costliest client addresses
 * @param apps the costliest apps
 * @param routes the costliest methods, hosts and first parts of a path
 * @param agents the costliest client programs, by what they call themselves
 */
record Attribution(
    Instant at,
    boolean stressed,
    List<Account> accounts,
    List<Talker> clients,
    List<Talker> apps,
    List<Talker> routes,
    List<Talker> agents) {
  /** Part of a top account's cost that a client or a route must have to be named with it. */
  private static final double NAMED_WITH = 0.5;

  private static final double LEAST_TIMES = 0.5; // what is not "x0"

  /** Nothing is known yet. */
  static final Attribution NONE =
      new Attribution(Instant.EPOCH, false, List.of(), List.of(), List.of(), List.of(), List.of());

  Attribution {
    accounts = List.copyOf(accounts);
    clients = List.copyOf(clients);
    apps = List.copyOf(apps);
    routes = List.copyOf(routes);
    agents = List.copyOf(agents);
  }

  /**
   * One account.
   *
   * @param share of all cost, in [0, 1]
   * @param times as much as it normally costs
   * @param perSecond requests that it may make while it is throttled, or 0
   * @param since when it came to stand so
   */
  record Account(
      String name,
      Standing.State state,
      double share,
      double times,
      double perSecond,
      Instant since) {}

  /**
   * One key of another dimension.
   *
   * @param name what it is called, or the key in hexadecimal when that was forgotten
   * @param share of all cost, in [0, 1]; too low by {@code error} at most
   * @param error of the sketch
   */
  record Talker(long key, String name, double share, double error) {}

  /** One line for people, or null when nobody stands out. */
  @Nullable String sentence() {
    if (accounts.isEmpty()) {
      return null;
    }
    var top = accounts.getFirst();
    var line = new StringBuilder();
    line.append(
        String.format(Locale.ROOT, "%.0f %% of cost is account %s", 100 * top.share, top.name));
    with(line, "client", clients, top);
    with(line, "route", routes, top);
    with(line, "agent", agents, top);
    if (top.times >= LEAST_TIMES) { // 0 before anything normal is learnt
      line.append(String.format(Locale.ROOT, ", x%.0f of normal", top.times));
    }
    if (top.state != Standing.State.NORMAL) {
      line.append(", ")
          .append(top.state.name().toLowerCase(Locale.ROOT))
          .append(" since ")
          .append(top.since.truncatedTo(ChronoUnit.SECONDS));
    }
    return line.toString();
  }

  private static void with(StringBuilder line, String what, List<Talker> talkers, Account top) {
    if (!talkers.isEmpty() && talkers.getFirst().share >= NAMED_WITH * top.share) {
      line.append(", ").append(what).append(' ').append(talkers.getFirst().name);
    }
  }
}
