package dev.holdfast.server;

import static dev.holdfast.server.AppOperations.take;

import dev.holdfast.certs.CertificateStatus;
import dev.holdfast.certs.Certificates;
import dev.holdfast.server.Operation.Query;
import dev.holdfast.server.Shapes.AuthorityShape;
import dev.holdfast.server.Shapes.CertificateList;
import dev.holdfast.server.Shapes.NewCertificate;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the API can do with certificates. Thread-safe. */
final class CertificateOperations {
  private final Certificates certificates;

  CertificateOperations(Certificates certificates) {
    this.certificates = certificates;
  }

  List<Operation> all() {
    return List.of(
        Operation.get(
                "/v1/certs",
                "Lists the certificates, and how far the orders are.",
                CertificateList.class,
                this::list)
            .with(
                new Query("limit", "At most so many, 1 to 1000"),
                new Query("cursor", "The `next` of the page before")),
        Operation.of(
            HandlerType.POST,
            "/v1/certs",
            "Orders a certificate for a host, again with `renew`; or takes `chain` and `key`.",
            NewCertificate.class,
            CertificateStatus.class,
            202,
            this::add),
        Operation.delete(
            "/v1/certs/{host}", "Forgets a certificate and what was ordered.", this::remove));
  }

  private Object list(Context context) {
    var page = Api.page(context, certificates.list());
    return new CertificateList(
        page.items(), page.next(), AuthorityShape.of(certificates.overview()));
  }

  private Object add(Context context) throws IOException {
    var body = Json.body(context, NewCertificate.class);
    var actor = Api.actor(context);
    var chain = body.chain();
    var key = body.key();
    if (chain != null && key != null) {
      return take(certificates.install(actor, body.host(), chain, key));
    }
    return take(
        Boolean.TRUE.equals(body.renew())
            ? certificates.renew(actor, body.host())
            : certificates.add(actor, body.host()));
  }

  private @Nullable Object remove(Context context) {
    take(certificates.remove(Api.actor(context), context.pathParam("host")));
    return null;
  }
}
