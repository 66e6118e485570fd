package dev.holdfast.server;

import dev.holdfast.certs.CertificateStatus;
import dev.holdfast.certs.Certificates;
import dev.holdfast.drones.App;
import dev.holdfast.drones.Apps;
import dev.holdfast.drones.Fleet;
import dev.holdfast.drones.ProcessView;
import dev.holdfast.drones.Release;
import dev.holdfast.ledger.Route;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Supervised;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The JSON shapes of the API, one record each. */
final class Shapes {
  private Shapes() {}

  record Health(
      String status,
      String version,
      String node,
      long position,
      long uptimeSeconds,
      String edge,
      String followers) {}

  record AppShape(
      String name,
      Instant createdAt,
      @Nullable Integer release,
      Map<String, Integer> formation,
      List<String> domains,
      String url) {
    static AppShape of(Fleet fleet, App app, int edgePort) {
      return new AppShape(
          app.name(),
          app.createdAt(),
          app.release() == 0 ? null : app.release(),
          app.formation(),
          fleet.routesOf(app.name()).stream().map(Route::host).toList(),
          "http://" + Apps.defaultHost(app.name()) + ":" + edgePort + "/");
    }
  }

  record AppList(List<AppShape> items, @Nullable String next) {}

  record NewApp(String name) {
    NewApp {
      Objects.requireNonNull(name, "name");
    }
  }

  record ReleaseShape(
      String app,
      int version,
      String status,
      boolean current,
      String description,
      String artifact,
      Instant createdAt,
      String actor,
      Map<String, String> types,
      @Nullable String step,
      @Nullable String failure) {
    static ReleaseShape of(Release release, @Nullable App app, List<ProcessView> processes) {
      return new ReleaseShape(
          release.app(),
          release.version(),
          release.status().name().toLowerCase(Locale.ROOT),
          app != null && app.release() == release.version(),
          release.description(),
          release.artifact(),
          release.createdAt(),
          release.actor(),
          release.types(),
          step(release, processes),
          release.failure());
    }

    private static @Nullable String step(Release release, List<ProcessView> processes) {
      return switch (release.status()) {
        case PENDING -> "Waiting for its turn";
        case RELEASING -> "Running release command: " + release.types().get("release");
        case STARTING -> {
          var booting = new StringBuilder();
          for (var process : processes) {
            if (process.release() == release.version()) {
              booting.append(booting.isEmpty() ? "" : ", ").append(process.name());
              booting.append(process.state().equals("up") ? " up" : " starting");
              booting.append(process.port() == null ? "" : " on port " + process.port());
            }
          }
          yield booting.isEmpty() ? "Placing its processes" : "Booting " + booting;
        }
        case SUCCEEDED, FAILED -> null;
      };
    }
  }

  record ReleaseList(List<ReleaseShape> items, @Nullable String next) {}

  record Rollback(@Nullable Integer version) {}

  record Vars(Map<String, String> vars) {}

  record VarsChange(@Nullable Map<String, String> set, @Nullable List<String> unset) {
    VarsChange {
      if (set != null) {
        set.forEach((name, value) ->
            Check.that(value != null, "config var " + name, "null", "text; `unset` takes it away"));
      }
      Check.that(
          unset == null || unset.stream().allMatch(Objects::nonNull),
          "unset",
          String.valueOf(unset),
          "names of config vars");
    }
  }

  record VarsChanged(Map<String, String> vars, @Nullable ReleaseShape release) {}

  record ProcessList(List<ProcessView> items, @Nullable String next) {}

  record Restart(@Nullable String process) {}

  record Restarted(int processes) {}

  record Domain(String host, String kind) {}

  record DomainList(List<Domain> items, @Nullable String next) {}

  record NewDomain(String host) {
    NewDomain {
      Objects.requireNonNull(host, "host");
    }
  }

  record RouteShape(String host, String to) {
    RouteShape {
      Objects.requireNonNull(host, "host");
      Objects.requireNonNull(to, "to");
    }
  }

  record RouteList(List<RouteShape> items, @Nullable String next) {}

  record RouteTarget(String to) {
    RouteTarget {
      Objects.requireNonNull(to, "to");
    }
  }

  record RouteImport(List<RouteShape> routes) {
    RouteImport {
      Objects.requireNonNull(routes, "routes");
      routes.forEach(route -> Check.that(route != null, "route", "null", "a host and an address"));
    }
  }

  record RouteImported(int added, int changed, int unchanged) {}

  record AuthorityShape(
      boolean automatic,
      String directory,
      boolean leads,
      int ordersSpent,
      int ordersMax,
      @Nullable Instant pausedUntil,
      @Nullable String error) {
    static AuthorityShape of(Certificates.Overview overview) {
      return new AuthorityShape(
          overview.automatic(),
          overview.directory(),
          overview.leads(),
          overview.ordersSpent(),
          overview.ordersMax(),
          overview.pausedUntil(),
          overview.error());
    }
  }

  record CertificateList(
      List<CertificateStatus> items, @Nullable String next, AuthorityShape authority) {}

  record NewCertificate(
      String host, @Nullable Boolean renew, @Nullable String chain, @Nullable String key) {
    NewCertificate {
      Objects.requireNonNull(host, "host");
      Check.that(
          (chain == null) == (key == null),
          "chain and key",
          chain == null ? "only a key" : "only a chain",
          "both or none");
      Check.that(chain == null || renew == null || !renew, "renew", true, "none beside a chain");
    }
  }

  record TokenShape(String id, String name, Token.Scope scope, Instant createdAt) {
    static TokenShape of(Token token) {
      return new TokenShape(token.id(), token.name(), token.scoped(), token.createdAt());
    }
  }

  record TokenList(List<TokenShape> items, @Nullable String next) {}

  record NewToken(String name, Token.@Nullable Scope scope) {
    NewToken {
      Objects.requireNonNull(name, "name");
    }
  }

  record TokenMade(String id, String name, Token.Scope scope, Instant createdAt, String token) {}

  record NewCompaction(long keep) {
    NewCompaction {
      Check.that(keep >= 0, "keep", keep, "0 or more");
    }
  }

  record CompactionDone(long floor, long head) {}

  record EntryShape(
      long position,
      String key,
      String kind,
      int schema,
      long revision,
      Instant time,
      String actor,
      boolean deleted,
      @Nullable Object payload,
      boolean redacted) {}

  record EntryList(List<EntryShape> items, @Nullable String next, long head) {}

  record LogShape(Instant time, String source, String process, String text) {}

  record Empty() {}

  /**
   * A background part of the platform.
   *
   * @param state running, backoff, degraded or stopped
   * @param failures deaths in a row
   * @param leftOut what it works on no more for a while, since it died of it
   */
  record PartShape(
      String name,
      String state,
      long starts,
      int failures,
      @Nullable String cause,
      @Nullable Instant diedAt,
      @Nullable Instant nextStartAt,
      List<String> leftOut) {
    static PartShape of(Supervised.Report report) {
      return new PartShape(
          report.name(),
          report.state().word(),
          report.starts(),
          report.failures(),
          report.cause(),
          report.diedAt(),
          report.nextStartAt(),
          report.shunned());
    }
  }

  record PartList(List<PartShape> items) {}
}
