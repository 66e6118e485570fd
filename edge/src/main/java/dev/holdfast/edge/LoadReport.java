package dev.holdfast.edge;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Who causes the load of an edge, as of the last second, over about the last ten; the costliest
 * first. Cost is the time that apps worked, and bytes. Immutable.
 *
 * @param at when it was found
 * @param stressed whether the node was overloaded within the last ten seconds
 * @param summary one line for people, or null when there was no load
 * @param accounts whose budgets were used most
 * @param clients addresses that asked
 * @param apps what they asked
 * @param routes method, host and first part of the path
 * @param agents programs, by what they call themselves
 */
public record LoadReport(
    Instant at,
    boolean stressed,
    @Nullable String summary,
    List<Account> accounts,
    List<Cause> clients,
    List<Cause> apps,
    List<Cause> routes,
    List<Cause> agents) {
  private static final int WHOLE = 100;

  /** Copies what it is given. */
  public LoadReport {
    accounts = List.copyOf(accounts);
    clients = List.copyOf(clients);
    apps = List.copyOf(apps);
    routes = List.copyOf(routes);
    agents = List.copyOf(agents);
  }

  /**
   * One account.
   *
   * @param state how it stands: normal, or what it is held to
   * @param percent of all cost
   * @param timesNormal as much as it costs otherwise
   * @param perSecond requests that it may make while it is throttled, or 0
   * @param since when it came to stand so
   */
  public record Account(
      String name, String state, int percent, long timesNormal, long perSecond, Instant since) {}

  /**
   * One key of another dimension.
   *
   * @param name what it is called, or a number when that was forgotten
   * @param percent of all cost; too low by {@code errorPercent} at most
   * @param errorPercent what the sketch may be wrong by
   */
  public record Cause(String name, int percent, int errorPercent) {}

  static LoadReport of(Attribution found) {
    return new LoadReport(
        found.at(),
        found.stressed(),
        found.sentence(),
        found.accounts().stream().map(LoadReport::account).toList(),
        causes(found.clients()),
        causes(found.apps()),
        causes(found.routes()),
        causes(found.agents()));
  }

  private static Account account(Attribution.Account account) {
    return new Account(
        account.name(),
        account.state().name().toLowerCase(Locale.ROOT),
        percent(account.share()),
        Math.round(account.times()),
        Math.round(account.perSecond()),
        account.since());
  }

  private static List<Cause> causes(List<Attribution.Talker> talkers) {
    return talkers.stream()
        .map(talker -> new Cause(talker.name(), percent(talker.share()), percent(talker.error())))
        .toList();
  }

  private static int percent(double share) {
    return (int) Math.round(WHOLE * share);
  }
}
