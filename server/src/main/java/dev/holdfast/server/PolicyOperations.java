package dev.holdfast.server;

import static dev.holdfast.server.AppOperations.take;

import dev.holdfast.drones.Apps;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** What the API can do with the policies of apps and of hosts. Thread-safe. */
final class PolicyOperations {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final int TRIES_MAX = 5;

  private final Ledger ledger;
  private final Apps apps;
  private final Hosts hosts;

  PolicyOperations(Ledger ledger, Apps apps, Hosts hosts) {
    this.ledger = ledger;
    this.apps = apps;
    this.hosts = hosts;
  }

  /** Whose policy, where it stands, and what must exist for it to mean anything. */
  private record Subject(String name, String key, String owner) {}

  /** A policy and how often it was written. */
  private record Found(Policy policy, long revision) {}

  private interface Named {
    Subject by(Context context);
  }

  List<Operation> all() {
    var all = new ArrayList<Operation>(of("/v1/apps/{app}/policy", "an app", this::app));
    all.addAll(of("/v1/hosts/{host}/policy", "a host, which goes over its app's", this::host));
    return all;
  }

  private List<Operation> of(String path, String whose, Named named) {
    return List.of(
        Operation.get(
            path,
            "The policy of " + whose + "; null is inherited.",
            Policy.class,
            c -> found(named.by(c)).policy()),
        Operation.of(
            HandlerType.PUT,
            path,
            "Replaces the policy of " + whose + ".",
            Policy.class,
            Policy.class,
            200,
            c -> put(c, named.by(c))),
        Operation.of(
            HandlerType.PATCH,
            path,
            "Changes the fields that are named; null is inherited again (RFC 7396).",
            Policy.class,
            Policy.class,
            200,
            c -> patch(c, named.by(c))),
        Operation.delete(
            path, "Removes the policy of " + whose + ".", c -> remove(c, named.by(c))));
  }

  private Subject app(Context context) {
    var name = context.pathParam("app");
    if (apps.fleet().app(name) == null) {
      throw Problem.of(new Refusal.NotFound("app " + Check.printable(name) + ": does not exist"));
    }
    return new Subject("app " + name, Policy.serviceKey(name), Service.key(name));
  }

  private Subject host(Context context) {
    var name = HostName.of(context.pathParam("host"));
    hosts.settle();
    if (hosts.route(name) == null) {
      throw Problem.of(
          new Refusal.NotFound(
              "host "
                  + name
                  + ": no route (expected: a host that `holdfast domains` or `routes` lists)"));
    }
    return new Subject("host " + name, Policy.hostKey(name), Route.key(name));
  }

  private Object put(Context context, Subject subject) throws IOException {
    var policy = Json.body(context, Policy.class);
    take(ledger.append(writing(context, subject, policy, Transaction.ANY)));
    return policy;
  }

  private Object patch(Context context, Subject subject) throws IOException {
    var change = Json.object(context);
    for (int tries = 1; ; tries++) {
      var before = found(subject);
      ObjectNode tree = Json.MAPPER.valueToTree(before.policy());
      change.properties().forEach(field -> tree.set(field.getKey(), field.getValue()));
      var policy = Json.value(tree, Policy.class);
      if (policy.equals(before.policy())) {
        return policy;
      }
      var expected =
          before.revision() == 0 ? Transaction.ABSENT : Transaction.at(before.revision());
      var outcome = ledger.append(writing(context, subject, policy, expected));
      if (tries == TRIES_MAX || !meanwhile(outcome)) {
        take(outcome);
        return policy;
      }
    }
  }

  /** Whether somebody else wrote it since it was read; perhaps another field. */
  private static boolean meanwhile(Outcome<?> outcome) {
    return outcome instanceof Outcome.Refused<?>(var refusal)
        && (refusal instanceof Refusal.Stale || refusal instanceof Refusal.Conflict);
  }

  private Transaction writing(
      Context context, Subject subject, Policy policy, Transaction.Expect expected) {
    return Transaction.by(Api.actor(context))
        .require(subject.owner(), Transaction.PRESENT)
        .put(Policy.KIND, subject.key(), policy, expected);
  }

  private @Nullable Object remove(Context context, Subject subject) {
    take(ledger.append(Transaction.by(Api.actor(context)).delete(subject.key(), Transaction.ANY)));
    return null;
  }

  private Found found(Subject subject) {
    try {
      var sealed = ledger.latest(subject.key());
      if (sealed == null) {
        return new Found(Policy.NONE, 0);
      }
      return switch (Envelope.decode(sealed.envelope())) {
        case Envelope.Decoded.Good(var entry) ->
            new Found(entry.deleted() ? Policy.NONE : Policy.KIND.decode(entry), entry.revision());
        case Envelope.Decoded.Unreadable(var cause) ->
            throw new StoreException("policy of " + subject.name() + ": " + cause);
      };
    } catch (StoreException e) {
      throw Problem.of(
          new Refusal.Unavailable("the ledger cannot be read: " + e.getMessage(), RETRY_AFTER));
    }
  }
}
