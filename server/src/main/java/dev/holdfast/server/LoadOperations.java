package dev.holdfast.server;

import dev.holdfast.edge.LoadReport;
import java.util.List;
import java.util.function.Supplier;

/** What the API says about who causes the load. Thread-safe. */
final class LoadOperations {
  private final Supplier<LoadReport> load;

  LoadOperations(Supplier<LoadReport> load) {
    this.load = load;
  }

  List<Operation> all() {
    return List.of(
        Operation.get(
            "/v1/load",
            "Who causes the load, costliest first: accounts, clients, apps, routes and user"
                + " agents.",
            LoadReport.class,
            _ -> load.get()));
  }
}
