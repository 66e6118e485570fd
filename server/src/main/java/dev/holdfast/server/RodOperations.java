package dev.holdfast.server;

import static dev.holdfast.server.AppOperations.take;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.RodOrder;
import dev.holdfast.limits.RodScope;
import dev.holdfast.server.Operation.Access;
import dev.holdfast.server.Operation.Effect;
import dev.holdfast.server.Operation.Query;
import dev.holdfast.server.RodShapes.EdgeRodNotes;
import dev.holdfast.server.RodShapes.NewRodDrill;
import dev.holdfast.server.RodShapes.RodList;
import dev.holdfast.server.RodShapes.RodNoteList;
import dev.holdfast.server.RodShapes.RodNoteShape;
import dev.holdfast.server.RodShapes.RodOrderShape;
import dev.holdfast.server.RodShapes.RodShape;
import dev.holdfast.server.RodShapes.RodsLifted;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the API can do with control rods. Thread-safe. */
final class RodOperations {
  private final RodBoard board;
  private final RodLedger ledger;
  private final Predicate<String> apps;

  /**
   * The operations.
   *
   * @param apps whether there is an app of that name
   */
  RodOperations(RodBoard board, RodLedger ledger, Predicate<String> apps) {
    this.board = board;
    this.ledger = ledger;
    this.apps = apps;
  }

  List<Operation> all() {
    return List.of(
        Operation.get(
                "/v1/rods",
                "Lists the control rods that are in, and those that there are.",
                RodList.class,
                _ -> board.list())
            .as(Access.CONTROL, null),
        Operation.get(
                "/v1/rods/history",
                "Lists what happened to control rods, newest first, at most "
                    + RodNote.KEPT
                    + " events.",
                RodNoteList.class,
                this::history)
            .with(
                new Query("limit", "At most so many, 1 to 1000"),
                new Query("cursor", "The `next` of the page before"))
            .as(Access.CONTROL, null),
        Operation.of(
                HandlerType.PUT,
                "/v1/rods/{rod}",
                "Sets a control rod.",
                RodOrderShape.class,
                RodShape.class,
                200,
                this::set)
            .as(Access.CONTROL, null)
            .doing(Effect.CONTROLS),
        Operation.of(
                HandlerType.DELETE,
                "/v1/rods/{rod}",
                "Lifts a control rod, whichever way it came.",
                null,
                RodsLifted.class,
                200,
                this::lift)
            .with(
                new Query("scope", "Such as `app/hello`; `global` when nobody says"),
                new Query("reason", "Why"))
            .as(Access.CONTROL, null)
            .doing(Effect.CONTROLS),
        Operation.of(
                HandlerType.POST,
                "/v1/edges/{name}/rod-notes",
                "An edge says what happened to its own control rods, for the record.",
                EdgeRodNotes.class,
                null,
                204,
                this::noted)
            .as(Access.FOLLOW_CALL, null)
            .doing(Effect.CONTROLS),
        Operation.of(
                HandlerType.POST,
                "/v1/rods/{rod}/drills",
                "Notes that a drill saw the control rod work.",
                NewRodDrill.class,
                RodDrill.class,
                201,
                this::drilled)
            .as(Access.CONTROL, null)
            .doing(Effect.CONTROLS));
  }

  /** An edge speaks for itself alone, whatever the notes say. */
  private @Nullable Object noted(Context context) throws IOException {
    var edge = context.pathParam("name");
    Check.that(EdgeReports.NAME.matcher(edge).matches(), "edge", edge, "a name of a-z, 0-9, '-'");
    ledger.noted(edge, Json.body(context, EdgeRodNotes.class).items());
    return null;
  }

  private static KnownRod known(Context context) {
    return KnownRod.of(context.pathParam("rod"));
  }

  private Object history(Context context) {
    var page = Api.page(context, ledger.history());
    return new RodNoteList(page.items().stream().map(RodNoteShape::of).toList(), page.next());
  }

  private Object set(Context context) throws IOException {
    var body = Json.body(context, RodOrderShape.class);
    var known = known(context);
    checkApp(RodOrder.scope(known, body.scope(), board.node()));
    var order =
        new RodOrder(
            known.word(),
            body.scope(),
            body.level(),
            body.ttl(),
            body.reason(),
            Boolean.TRUE.equals(body.drill()));
    var rod = take(ledger.set(Api.actor(context), order));
    return RodShape.of(rod, board.view().all().stream().anyMatch(i -> i.rod().equals(rod)), 0);
  }

  /** A name that was mistyped in an emergency must not look as if it had helped. */
  private void checkApp(String scope) {
    var meant = RodScope.of(scope);
    if (meant.extent() == RodScope.Extent.APP && !apps.test(meant.name())) {
      throw Problem.of(
          new Refusal.NotFound("app " + Check.printable(meant.name()) + ": does not exist"));
    }
  }

  private Object lift(Context context) {
    var known = known(context);
    var scope = RodOrder.scope(known, context.queryParam("scope"), board.node());
    var lifted =
        take(ledger.lift(Api.actor(context), known.word(), scope, context.queryParam("reason")));
    return new RodsLifted(
        lifted.stream().map(one -> RodShape.of(one.rod(), false, one.effect())).toList(), null);
  }

  private Object drilled(Context context) throws IOException {
    var body = Json.body(context, NewRodDrill.class);
    var actor = Api.actor(context);
    return take(
        ledger.drilled(
            actor, known(context), Objects.requireNonNullElse(body.by(), actor), body.effect()));
  }
}
