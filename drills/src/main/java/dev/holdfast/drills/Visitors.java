package dev.holdfast.drills;

import dev.holdfast.limits.Check;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;

/**
 * A group of clients that behave alike: who they are, what they ask for, how often and how patient
 * they are. Arrivals are a Poisson process that does not wait for answers. Immutable.
 *
 * @param name of the group, part of the path, so that the app can count it
 * @param to where they connect
 * @param host the Host header; a {@code #} in it is each number below {@code hosts} in turn
 * @param hosts how many hosts they ask for
 * @param path asked for
 * @param network third byte of their addresses, 127.0.network.1 and up
 * @param clients how many addresses, at most 250
 * @param keepAlive whether a connection is used again
 * @param patience how long each try may take
 * @param retries what they do when it fails
 * @param rates requests per second of the whole group, from when on; in order
 */
record Visitors(
    String name,
    InetSocketAddress to,
    String host,
    int hosts,
    String path,
    int network,
    int clients,
    boolean keepAlive,
    Duration patience,
    Retries retries,
    List<Rate> rates) {

  private static final int CLIENTS_MAX = 250;
  private static final int HOSTS_MAX = 10_000;

  /**
   * How many requests arrive from a moment on.
   *
   * @param from seconds after the start
   * @param perSecond requests in one second; 0 is none
   */
  record Rate(int from, double perSecond) {}

  Visitors {
    Check.that(clients >= 1 && clients <= CLIENTS_MAX, "clients", clients, "1 to " + CLIENTS_MAX);
    Check.that(hosts >= 1 && hosts <= HOSTS_MAX, "hosts", hosts, "1 to " + HOSTS_MAX);
    Check.that(network >= 0 && network <= 255, "network", network, "0 to 255");
    rates = List.copyOf(rates);
  }

  /** A group of patient visitors with kept connections, one address each, that never ask again. */
  static Visitors of(String name, InetSocketAddress to, String host, int network, int clients) {
    return new Visitors(
        name,
        to,
        host,
        1,
        "/" + name,
        network,
        clients,
        true,
        Duration.ofSeconds(5),
        new Retries.None(),
        List.of());
  }

  Visitors withRates(Rate... steps) {
    return new Visitors(
        name,
        to,
        host,
        hosts,
        path,
        network,
        clients,
        keepAlive,
        patience,
        retries,
        List.of(steps));
  }

  Visitors withHosts(int number) {
    return new Visitors(
        name, to, host, number, path, network, clients, keepAlive, patience, retries, rates);
  }

  Visitors withPath(String asked) {
    return new Visitors(
        name, to, host, hosts, asked, network, clients, keepAlive, patience, retries, rates);
  }

  Visitors withPatience(Duration most, Retries then) {
    return new Visitors(
        name, to, host, hosts, path, network, clients, keepAlive, most, then, rates);
  }

  Visitors withFreshConnections() {
    return new Visitors(
        name, to, host, hosts, path, network, clients, false, patience, retries, rates);
  }

  /** The rate at a moment, in requests per nanosecond. */
  double perNano(long sinceStart) {
    double rate = 0;
    for (var step : rates) {
      if (Duration.ofSeconds(step.from()).toNanos() <= sinceStart) {
        rate = step.perSecond();
      }
    }
    return rate / Duration.ofSeconds(1).toNanos();
  }

  /** The address of a client. */
  InetSocketAddress client(int number) {
    return address(network, number);
  }

  /** A loopback address that is not used by anybody else: 127.0.network.number+1. */
  static InetSocketAddress address(int network, int number) {
    var bytes = new byte[] {127, 0, (byte) network, (byte) (number + 1)};
    try {
      return new InetSocketAddress(InetAddress.getByAddress(bytes), 0);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
