package dev.holdfast.house;

import java.util.List;
import java.util.Set;

/**
 * The rooms of the house as data: who uses whom, and what each shows to the others. Whoever adds a
 * public type or a dependency changes this table, and that is the moment to ask whether it should
 * be.
 */
final class Rooms {

  /**
   * One module, which is one package.
   *
   * @param uses other rooms that it may depend on
   * @param shows exactly its public top-level types
   */
  record Room(String name, Set<String> uses, Set<String> shows) {
    String packageName() {
      return "dev.holdfast." + name;
    }
  }

  /** A third-party package and the rooms that may touch it. */
  record Border(String packages, Set<String> rooms) {}

  static final List<Room> ALL =
      List.of(
          new Room(
              "limits",
              Set.of(),
              Set.of(
                  "Backoff",
                  "BoundedQueue",
                  "Check",
                  "Deadline",
                  "Gcra",
                  "GcraTable",
                  "GradientLimit",
                  "HeavyHitters",
                  "InFlight",
                  "Keys",
                  "KnownRod",
                  "MetricSource",
                  "MetricText",
                  "Outcome",
                  "Refusal",
                  "RetryBudget",
                  "Rod",
                  "RodEffects",
                  "RodOrder",
                  "RodRule",
                  "RodScope",
                  "RodView",
                  "RodsConfig",
                  "ShedLevel",
                  "SlowStart",
                  "Supervised",
                  "Time",
                  "Usage",
                  "WaitingRoom")),
          new Room(
              "ledger",
              Set.of("limits"),
              Set.of(
                  "Beacon",
                  "Canary",
                  "Endpoint",
                  "Entry",
                  "Envelope",
                  "Feed",
                  "Fold",
                  "Follower",
                  "HistoryGone",
                  "FollowerConfig",
                  "FollowerReport",
                  "HostName",
                  "HttpFeed",
                  "HttpFeedConfig",
                  "Kind",
                  "Kinds",
                  "Lease",
                  "Ledger",
                  "LedgerConfig",
                  "Payload",
                  "PersistentMap",
                  "Policy",
                  "Receipt",
                  "Route",
                  "Sealed",
                  "Service",
                  "Standing",
                  "Store",
                  "StoreAway",
                  "StoreException",
                  "StoreInDoubt",
                  "Transaction",
                  "Verdict",
                  "View")),
          new Room(
              "store",
              Set.of("ledger", "limits"),
              Set.of(
                  "HomeLock",
                  "KeptStore",
                  "PostgresConfig",
                  "PostgresStore",
                  "SqliteStore",
                  "StoreConfig")),
          new Room(
              "edge",
              Set.of("ledger", "limits"),
              Set.of(
                  "AccessLogConfig",
                  "AdmissionConfig",
                  "Descriptors",
                  "Edge",
                  "EdgeConfig",
                  "Policies",
                  "FrontConfig",
                  "Limiter",
                  "LoadReport",
                  "Owners",
                  "RouterLog",
                  "Routing",
                  "RoutingFold",
                  "TlsIdentity",
                  "TlsKeys")),
          new Room(
              "certs",
              Set.of("edge", "ledger", "limits"),
              Set.of("CertificateStatus", "Certificates", "CertsConfig")),
          new Room(
              "drones",
              Set.of("ledger", "limits"),
              Set.of(
                  "Adoption",
                  "App",
                  "AppLogs",
                  "Apps",
                  "Artifact",
                  "ArtifactLimits",
                  "Artifacts",
                  "Brake",
                  "ConfigVars",
                  "Crash",
                  "Drones",
                  "DronesConfig",
                  "Exit",
                  "Fleet",
                  "Instance",
                  "LaunchSpec",
                  "Launcher",
                  "LauncherConfig",
                  "LogFollow",
                  "LogLimits",
                  "LogLine",
                  "Owner",
                  "ProcessView",
                  "Procfile",
                  "Release",
                  "Run",
                  "Traffic")),
          new Room(
              "server",
              Set.of("limits", "ledger", "store", "edge", "certs", "drones"),
              Set.of("Main")),
          new Room("cli", Set.of(), Set.of("Main")),
          new Room("drills", Set.of("limits"), Set.of("KillDrill", "Main", "Profile")));

  static final List<Border> BORDERS =
      List.of(
          new Border("io.netty..", Set.of("edge")),
          new Border("org.shredzone..", Set.of("certs")),
          new Border("org.bouncycastle..", Set.of("certs")),
          new Border("com.aayushatharva..", Set.of("edge")),
          new Border("com.github.luben..", Set.of("edge")),
          new Border("java.sql..", Set.of("store", "drills")),
          new Border("javax.sql..", Set.of("store")),
          new Border("org.sqlite..", Set.of("store")),
          new Border("org.postgresql..", Set.of("store")),
          new Border("io.javalin..", Set.of("server")),
          new Border("org.eclipse.jetty..", Set.of("server")),
          new Border("jakarta.servlet..", Set.of("server")),
          new Border("picocli..", Set.of("cli")),
          new Border("org.apache.commons.compress..", Set.of("drones", "server", "cli", "drills")),
          new Border("tools.jackson..", Set.of("ledger", "drones", "server", "cli", "drills")),
          new Border("org.slf4j..", Set.of("server")));

  private Rooms() {}
}
