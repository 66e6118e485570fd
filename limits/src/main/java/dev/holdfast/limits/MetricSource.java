package dev.holdfast.limits;

/** Somebody who has numbers for a scrape. Called on any thread; it must not block. */
@FunctionalInterface
public interface MetricSource {

  /** Writes its families, each of them whole. */
  void write(MetricText out);
}
