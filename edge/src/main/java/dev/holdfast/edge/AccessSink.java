package dev.holdfast.edge;

/**
 * Where lines of the access log go. It may fail, it may lose lines, and then counts them; it never
 * throws. Confined to the log's thread, but for the count.
 */
interface AccessSink {

  /**
   * Takes one line, which the caller uses again.
   *
   * @param line without line end
   * @param prefix how many of its bytes are a time and a source in front of the line itself
   * @param record what the line is of
   */
  void line(LineBuffer line, int prefix, AccessRecord record);

  /** Hands on what it still holds, and tries again what failed before when it is time to. */
  void flush();

  /** How many lines it lost; any thread may ask. */
  long dropped();

  /** Hands on what it can at once, and ends. */
  void close();
}
