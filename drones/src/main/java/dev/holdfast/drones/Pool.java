package dev.holdfast.drones;

import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which drones and ports are free. A drone and a port are leases: whoever is given one is written
 * into the ledger under the lease's last revision, so that of two that were chosen from the same
 * view one is refused. A port goes back only after every edge forgot it and it has rested. Confined
 * to the conductor's thread.
 */
final class Pool {
  private final DronesConfig config;
  private final Traffic traffic;
  private final Time time;
  private final Map<String, Rest> resting = new HashMap<>();
  private int nextPort;

  private record Rest(long position, long sinceNanos) {}

  /** A port's lease that may end now. */
  record Rested(String lease, long epoch) {}

  Pool(DronesConfig config, Traffic traffic, Time time) {
    this.config = config;
    this.traffic = traffic;
    this.time = time;
    nextPort = config.portFirst();
  }

  /** An instance on a free drone, with a port if its type is routed; null when there is none. */
  @Nullable Instance choose(Fleet fleet, Action.Place place) {
    int drone = freeDrone(fleet);
    int port = place.type().equals(Release.WEB) ? freePort(fleet) : 0;
    if (drone == 0 || port < 0) {
      return null;
    }
    return new Instance(
        place.app(),
        place.type(),
        place.index(),
        place.release(),
        drone,
        revision(fleet, Instance.droneLease(drone)) + 1,
        port,
        Instance.State.STARTING,
        time.now());
  }

  /** The steps that give the instance its drone and its port, or nobody. */
  static void grant(Transaction transaction, Fleet fleet, Instance instance, String nodeLease) {
    var drone = instance.droneLease();
    transaction.grantChild(
        drone,
        instance.app() + "/" + instance.process(),
        nodeLease,
        Transaction.at(revision(fleet, drone)));
    if (instance.port() != 0) {
      var port = Instance.portLease(instance.port());
      transaction.grantChild(
          port, instance.key(), nodeLease, Transaction.at(revision(fleet, port)));
    }
  }

  /** How many drones are held. */
  int used(Fleet fleet) {
    int used = 0;
    for (int drone = 1; drone <= config.drones(); drone++) {
      used += held(fleet, Instance.droneLease(drone)) ? 1 : 0;
    }
    return used;
  }

  /** The leases of ports that nobody uses, nobody routes to, and that have rested. */
  List<Rested> rested(Fleet fleet, long position) {
    var done = new ArrayList<Rested>();
    Set<String> orphans = new HashSet<>();
    fleet
        .leases()
        .forEach((entryKey, lease) -> {
          boolean orphan =
              entryKey.startsWith(Lease.entryKey("port/"))
                  && lease.value().held()
                  && fleet.instances().get(lease.value().holder()) == null;
          if (!orphan) {
            return;
          }
          orphans.add(entryKey);
          var rest = resting.computeIfAbsent(entryKey, _ -> new Rest(position, time.nanos()));
          if (traffic.forgotten(rest.position())
              && time.nanos() - rest.sinceNanos() >= config.portRest().toNanos()) {
            done.add(
                new Rested(entryKey.substring(Lease.entryKey("").length()), lease.value().epoch()));
          }
        });
    resting.keySet().retainAll(orphans);
    return done;
  }

  private int freeDrone(Fleet fleet) {
    for (int drone = 1; drone <= config.drones(); drone++) {
      if (!held(fleet, Instance.droneLease(drone))) {
        return drone;
      }
    }
    return 0;
  }

  /** The next port of the ring, so that one that was used comes back as late as possible. */
  private int freePort(Fleet fleet) {
    int ports = config.portLast() - config.portFirst() + 1;
    for (int i = 0; i < ports; i++) {
      int port = nextPort;
      nextPort = port == config.portLast() ? config.portFirst() : port + 1;
      if (!held(fleet, Instance.portLease(port)) && unused(port)) {
        return port;
      }
    }
    return -1;
  }

  /** Whether nobody outside the platform listens there; a later one is found before it is up. */
  private static boolean unused(int port) {
    try (var probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** After a restart the ring goes on behind the ports that are in use. */
  void resume(Fleet fleet) {
    for (int port = config.portFirst(); port <= config.portLast(); port++) {
      if (held(fleet, Instance.portLease(port))) {
        nextPort = port == config.portLast() ? config.portFirst() : port + 1;
      }
    }
  }

  private static boolean held(Fleet fleet, String lease) {
    var found = fleet.leases().get(Lease.entryKey(lease));
    return found != null && found.value().held();
  }

  private static long revision(Fleet fleet, String lease) {
    var found = fleet.leases().get(Lease.entryKey(lease));
    return found == null ? 0 : found.revision();
  }
}
