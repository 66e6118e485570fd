package dev.holdfast.server;

import dev.holdfast.drones.App;
import dev.holdfast.drones.AppLogs;
import dev.holdfast.drones.Apps;
import dev.holdfast.drones.Artifacts;
import dev.holdfast.drones.Drones;
import dev.holdfast.drones.Release;
import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.Route;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.server.Operation.Effect;
import dev.holdfast.server.Operation.Query;
import dev.holdfast.server.Shapes.AppList;
import dev.holdfast.server.Shapes.AppShape;
import dev.holdfast.server.Shapes.Domain;
import dev.holdfast.server.Shapes.DomainList;
import dev.holdfast.server.Shapes.NewApp;
import dev.holdfast.server.Shapes.NewDomain;
import dev.holdfast.server.Shapes.ProcessList;
import dev.holdfast.server.Shapes.ReleaseList;
import dev.holdfast.server.Shapes.ReleaseShape;
import dev.holdfast.server.Shapes.Restart;
import dev.holdfast.server.Shapes.Restarted;
import dev.holdfast.server.Shapes.Rollback;
import dev.holdfast.server.Shapes.Vars;
import dev.holdfast.server.Shapes.VarsChange;
import dev.holdfast.server.Shapes.VarsChanged;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** What the API can do with apps. Thread-safe. */
final class AppOperations {
  private static final int REQUEST_KEY_CHARS_MAX = 200;
  private static final int DESCRIPTION_CHARS_MAX = 200;
  private static final int ARTIFACT_SHOWN = 8;
  private static final Query LIMIT = new Query("limit", "At most so many, 1 to 1000");
  private static final Query CURSOR = new Query("cursor", "The `next` of the page before");

  private final Drones drones;
  private final Artifacts artifacts;
  private final AppLogs logs;
  private final IntSupplier edgePort;

  AppOperations(Drones drones, Artifacts artifacts, AppLogs logs, IntSupplier edgePort) {
    this.drones = drones;
    this.artifacts = artifacts;
    this.logs = logs;
    this.edgePort = edgePort;
  }

  List<Operation> all() {
    return List.of(
        Operation.get("/v1/apps", "Lists the apps.", AppList.class, this::list).with(LIMIT, CURSOR),
        Operation.of(
            HandlerType.POST,
            "/v1/apps",
            "Creates an app.",
            NewApp.class,
            AppShape.class,
            201,
            this::create),
        Operation.get("/v1/apps/{app}", "Shows an app.", AppShape.class, c -> shape(app(c))),
        Operation.delete("/v1/apps/{app}", "Deletes an app; its processes end.", this::destroy),
        Operation.of(
                HandlerType.POST,
                "/v1/apps/{app}/releases",
                "Deploys a tar.gz as the app's next release; creates the app if need be.",
                null,
                ReleaseShape.class,
                202,
                this::deploy)
            .with(new Query("description", "What changed"))
            .as(Operation.Access.CALL, "application/gzip")
            .doing(Effect.RELEASES),
        Operation.get(
                "/v1/apps/{app}/releases",
                "Lists the app's releases, newest first.",
                ReleaseList.class,
                this::releases)
            .with(LIMIT, CURSOR),
        Operation.get(
            "/v1/apps/{app}/releases/{version}",
            "Shows a release and how far it is.",
            ReleaseShape.class,
            this::release),
        Operation.of(
                HandlerType.POST,
                "/v1/apps/{app}/rollback",
                "Releases an earlier release again.",
                Rollback.class,
                ReleaseShape.class,
                202,
                this::rollback)
            .doing(Effect.ROLLS_BACK),
        Operation.get("/v1/apps/{app}/config", "Shows the config vars.", Vars.class, this::config),
        Operation.of(
                HandlerType.PATCH,
                "/v1/apps/{app}/config",
                "Sets and unsets config vars, and releases the app with them.",
                VarsChange.class,
                VarsChanged.class,
                202,
                this::configure)
            .doing(Effect.RELEASES),
        Operation.get(
            "/v1/apps/{app}/formation",
            "Shows how many processes of each type are wanted.",
            Map.class,
            c -> app(c).formation()),
        Operation.of(
            HandlerType.PATCH,
            "/v1/apps/{app}/formation",
            "States how many processes of the given types are wanted.",
            Map.class,
            Map.class,
            200,
            this::scale),
        Operation.get(
            "/v1/apps/{app}/processes",
            "Lists the processes, those that wait included.",
            ProcessList.class,
            c -> new ProcessList(drones.processes(app(c).name()), null)),
        Operation.of(
                HandlerType.POST,
                "/v1/apps/{app}/restart",
                "Replaces the processes, or one of them.",
                Restart.class,
                Restarted.class,
                202,
                this::restart)
            .doing(Effect.RESTARTS),
        Operation.get(
            "/v1/apps/{app}/domains", "Lists the app's hosts.", DomainList.class, this::domains),
        Operation.of(
            HandlerType.POST,
            "/v1/apps/{app}/domains",
            "Routes a host to the app.",
            NewDomain.class,
            Domain.class,
            201,
            this::addDomain),
        Operation.delete(
            "/v1/apps/{app}/domains/{host}",
            "Routes a host to the app no longer.",
            this::removeDomain));
  }

  private Apps apps() {
    return drones.apps();
  }

  private App app(Context context) {
    var name = context.pathParam("app");
    var app = apps().fleet().app(name);
    if (app == null) {
      throw Problem.of(new Refusal.NotFound("app " + Check.printable(name) + ": does not exist"));
    }
    return app;
  }

  private AppShape shape(App app) {
    return AppShape.of(apps().fleet(), app, edgePort.getAsInt());
  }

  private ReleaseShape shape(Release release) {
    return ReleaseShape.of(
        release, apps().fleet().app(release.app()), drones.processes(release.app()));
  }

  static <T> T take(Outcome<T> outcome) {
    return switch (outcome) {
      case Outcome.Done<T>(var value) -> value;
      case Outcome.Refused<T>(var refusal) -> throw Problem.of(refusal);
    };
  }

  private static @Nullable String requestKey(Context context) {
    var key = context.header("Idempotency-Key");
    Check.that(
        key == null
            || (!key.isEmpty()
                && key.length() <= REQUEST_KEY_CHARS_MAX
                && key.chars().noneMatch(Character::isISOControl)),
        "Idempotency-Key",
        String.valueOf(key),
        "1 to " + REQUEST_KEY_CHARS_MAX + " printable characters");
    return key;
  }

  private Object list(Context context) {
    var page = Api.page(context, apps().fleet().allApps());
    return new AppList(page.items().stream().map(this::shape).toList(), page.next());
  }

  private Object create(Context context) throws IOException {
    var body = Json.body(context, NewApp.class);
    HostName.label("app", body.name());
    forgetPredecessor(body.name());
    return shape(take(apps().create(Api.actor(context), body.name())));
  }

  private @Nullable Object destroy(Context context) {
    take(apps().destroy(Api.actor(context), context.pathParam("app")));
    return null;
  }

  private Object deploy(Context context) throws IOException {
    var name = HostName.label("app", context.pathParam("app"));
    var request = requestKey(context);
    var told = context.queryParam("description");
    Check.that(
        told == null || told.length() <= DESCRIPTION_CHARS_MAX,
        "description",
        String.valueOf(told),
        "at most " + DESCRIPTION_CHARS_MAX + " characters");
    var artifact = take(artifacts.put(context.bodyInputStream()));
    forgetPredecessor(name);
    var description =
        told != null ? told : "Deploy " + artifact.sha256().substring(0, ARTIFACT_SHOWN);
    return shape(take(apps().deploy(Api.actor(context), name, artifact, description, request)));
  }

  /** What an app said that was destroyed is not the log of the next one with its name. */
  private void forgetPredecessor(String name) {
    var fleet = apps().fleet();
    if (fleet.app(name) == null && fleet.instancesOf(name).isEmpty()) {
      logs.forget(name);
    }
  }

  private Object releases(Context context) {
    var page = Api.page(context, apps().fleet().releasesOf(app(context).name()));
    return new ReleaseList(page.items().stream().map(this::shape).toList(), page.next());
  }

  private Object release(Context context) {
    var name = app(context).name();
    var text = context.pathParam("version");
    int version;
    try {
      version = Integer.parseInt(text.startsWith("v") ? text.substring(1) : text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          Check.message("version", text, "a number such as 3 or v3"), e);
    }
    var release = apps().fleet().release(name, version);
    if (release == null) {
      throw Problem.of(
          new Refusal.NotFound("release v" + version + " of " + name + ": does not exist"));
    }
    return shape(release);
  }

  private Object rollback(Context context) throws IOException {
    var body = Json.body(context, Rollback.class);
    var name = app(context).name();
    return shape(
        take(apps().rollback(Api.actor(context), name, body.version(), requestKey(context))));
  }

  private Object config(Context context) {
    var app = app(context);
    return new Vars(apps().fleet().config(app.name(), app.config()).vars());
  }

  private Object configure(Context context) throws IOException {
    var body = Json.body(context, VarsChange.class);
    var set = body.set() == null ? Map.<String, String>of() : body.set();
    var unset = body.unset() == null ? Set.<String>of() : Set.copyOf(body.unset());
    var changed =
        take(
            apps()
                .configure(
                    Api.actor(context), context.pathParam("app"), set, unset, requestKey(context)));
    var release = changed.release();
    return new VarsChanged(changed.vars(), release == null ? null : shape(release));
  }

  private Object scale(Context context) throws IOException {
    var wanted = new TreeMap<String, Integer>();
    Json.counts(context)
        .forEach((type, count) -> {
          Check.that(count != null, type, "null", "a number of processes");
          wanted.put(type, count);
        });
    Check.that(!wanted.isEmpty(), "body", wanted, "such as {\"web\": 2}");
    return take(apps().scale(Api.actor(context), context.pathParam("app"), wanted)).formation();
  }

  private Object restart(Context context) throws IOException {
    var body = Json.body(context, Restart.class);
    return new Restarted(
        take(apps().restart(Api.actor(context), context.pathParam("app"), body.process())));
  }

  private Object domains(Context context) {
    var name = app(context).name();
    return new DomainList(
        apps().fleet().routesOf(name).stream().map(route -> domain(name, route)).toList(), null);
  }

  private static Domain domain(String app, Route route) {
    boolean standard = route.host().equals(Apps.defaultHost(app));
    return new Domain(route.host(), standard ? "default" : "custom");
  }

  private Object addDomain(Context context) throws IOException {
    var body = Json.body(context, NewDomain.class);
    var name = context.pathParam("app");
    return domain(name, take(apps().addDomain(Api.actor(context), name, body.host())));
  }

  private @Nullable Object removeDomain(Context context) {
    take(
        apps()
            .removeDomain(Api.actor(context), context.pathParam("app"), context.pathParam("host")));
    return null;
  }
}
