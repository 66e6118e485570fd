package dev.holdfast.drones;

import dev.holdfast.drones.Observed.Ending;
import dev.holdfast.drones.Observed.How;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What the conductor knows of one instance beyond the ledger: its run, how it ended, whether it
 * answers. The conductor's thread owns it; launches and health checks report into its volatile
 * fields.
 */
final class Watch {
  private final Instance placed;
  private volatile @Nullable Run run;
  private volatile @Nullable Ending ending;
  private volatile boolean healthy;
  private volatile boolean probing;
  private volatile boolean stopWanted;
  private long drainedAt = -1;

  Watch(Instance placed) {
    this.placed = placed;
  }

  String id() {
    return placed.id();
  }

  @Nullable Run run() {
    return run;
  }

  /** The process runs; {@code wake} is called at its end. */
  void started(Run started, Runnable wake) {
    run = started;
    var _ =
        started
            .exit()
            .thenAccept(
            exit -> {
              boolean clean = exit.status() != null && exit.status() == 0;
              ended(clean ? How.CLEAN : How.FAILED, exit.describe());
              wake.run();
            });
  }

  void ended(How how, String text) {
    ending = new Ending(how, text);
  }

  /** How it ended, for people. */
  String describe() {
    var how = ending;
    return how == null ? "gone" : how.text();
  }

  /** Whether a stop was asked for before there was anything to stop. */
  boolean stopWanted() {
    return stopWanted;
  }

  void wantStop() {
    stopWanted = true;
  }

  /** Position from which on edges send it nothing new. */
  void drainedAt(long position) {
    if (drainedAt < 0) {
      drainedAt = position;
    }
  }

  /** Looks at the instance now; starts a health check where one is due. */
  Observed look(
      Instance instance,
      Traffic traffic,
      @Nullable HttpClient http,
      @Nullable String healthPath,
      Duration healthTimeout,
      Runnable wake) {
    var running = run;
    var how = ending;
    if (how != null || running == null) {
      return new Observed(running != null, how, false, false, false);
    }
    boolean answers = false;
    boolean foreign = false;
    if (instance.routed() && instance.state() == Instance.State.STARTING) {
      var owner = listener(running, instance.port());
      foreign = owner == Owner.SOMEBODY_ELSE;
      if (owner == Owner.THIS_RUN) {
        answers = healthPath == null || http == null || healthy;
        if (!answers && http != null && healthPath != null) {
          probe(http, instance, healthPath, healthTimeout, wake);
        }
      }
    }
    boolean quiet =
        instance.state() == Instance.State.DRAINING
            && drainedAt >= 0
            && traffic.applied(drainedAt)
            && traffic.inFlight(instance.app(), instance.id()) == 0;
    return new Observed(true, null, answers, foreign, quiet);
  }

  private static Owner listener(Run run, int port) {
    try {
      return run.listener(port);
    } catch (IOException e) {
      return Owner.NOBODY; // looked at again; the boot timeout bounds it
    }
  }

  private void probe(
      HttpClient http, Instance instance, String path, Duration timeout, Runnable wake) {
    if (probing) {
      return;
    }
    probing = true;
    Thread.ofVirtual()
        .name("health-" + instance.id())
        .start(
            () -> {
              try {
                var uri =
                    URI.create("http://127.0.0.1:" + instance.port() + "/")
                        .resolve(path.startsWith("/") ? path : "/" + path);
                var request =
                    HttpRequest.newBuilder(uri)
                        .timeout(timeout)
                        .header("User-Agent", "holdfast-health")
                        .build();
                int status =
                    http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
                healthy = status >= 200 && status < 300;
              } catch (IOException | IllegalArgumentException e) {
                healthy = false;
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } finally {
                probing = false;
                if (healthy) {
                  wake.run();
                }
              }
            });
  }
}
