package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import java.lang.reflect.Constructor;
import java.util.Arrays;

/** A policy that says one thing or a few, by the names of its components. */
final class PolicyForm {
  private PolicyForm() {}

  /** {@code name, value, name, value}; all else is inherited. */
  static Policy of(Object... namesAndValues) {
    var components = Policy.class.getRecordComponents();
    var values = new Object[components.length];
    for (int i = 0; i < namesAndValues.length; i += 2) {
      int at = 0;
      while (!components[at].getName().equals(namesAndValues[i])) {
        at++;
      }
      values[at] = namesAndValues[i + 1];
    }
    try {
      var types = Arrays.stream(components).map(c -> c.getType()).toArray(Class<?>[]::new);
      Constructor<Policy> constructor = Policy.class.getDeclaredConstructor(types);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("Policy", e);
    }
  }
}
