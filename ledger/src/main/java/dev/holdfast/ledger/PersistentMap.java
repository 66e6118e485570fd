package dev.holdfast.ledger;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A hash map of which every change makes a new one that shares nearly everything with the old: a
 * hash array mapped trie (Bagwell, "Ideal Hash Trees", 2001), 32 ways, with buckets at the bottom
 * for equal hashes. A view made of such maps is published by one volatile write, however large it
 * is. Immutable, apart from a map that was begun with {@link #open} until it is settled.
 */
public final class PersistentMap<K, V> {
  private static final int BITS = 5;
  private static final int HASH_BITS = 32;
  private static final PersistentMap<?, ?> EMPTY = new PersistentMap<>(null, 0);

  private final @Nullable Node<K, V> root;
  private final @Nullable Heap<K, V> heap; // while it is open
  private final int size;

  private PersistentMap(@Nullable Node<K, V> root, int size) {
    this.root = root;
    this.size = size;
    heap = null;
  }

  private PersistentMap(Heap<K, V> heap) {
    root = null;
    size = 0;
    this.heap = heap;
  }

  private sealed interface Node<K, V> {}

  private record Leaf<K, V>(int hash, K key, V value) implements Node<K, V> {}

  /** Children in order of their five hash bits; bit n of the map says whether child n is there. */
  private record Branch<K, V>(int bitmap, Nodes<K, V> children) implements Node<K, V> {}

  /** Leaves whose hashes are equal in all bits. */
  private record Bucket<K, V>(int hash, Nodes<K, V> leaves) implements Node<K, V> {}

  /** An array that nobody changes. */
  private static final class Nodes<K, V> {
    final Node<K, V>[] array;

    Nodes(Node<K, V>[] array) {
      this.array = array;
    }

    @SuppressWarnings("unchecked") // an array of nodes of one map only ever holds that map's
    static <K, V> Nodes<K, V> of(Node<K, V> only) {
      return new Nodes<>((Node<K, V>[]) new Node<?, ?>[] {only});
    }

    static <K, V> Nodes<K, V> of(Node<K, V> first, Node<K, V> second) {
      return of(first).inserted(1, second);
    }

    Node<K, V> get(int i) {
      return array[i];
    }

    int length() {
      return array.length;
    }

    Nodes<K, V> with(int i, Node<K, V> node) {
      var copy = array.clone();
      copy[i] = node;
      return new Nodes<>(copy);
    }

    Nodes<K, V> inserted(int i, Node<K, V> node) {
      var copy = Arrays.copyOf(array, array.length + 1);
      System.arraycopy(array, i, copy, i + 1, array.length - i);
      copy[i] = node;
      return new Nodes<>(copy);
    }

    Nodes<K, V> removed(int i) {
      var copy = Arrays.copyOf(array, array.length - 1);
      System.arraycopy(array, i + 1, copy, i, array.length - i - 1);
      return new Nodes<>(copy);
    }
  }

  /** The map without keys. */
  @SuppressWarnings("unchecked") // holds nothing, so it is of every type
  public static <K, V> PersistentMap<K, V> empty() {
    return (PersistentMap<K, V>) EMPTY;
  }

  /**
   * An empty map that {@link #with} changes in place, for who fills one before anybody else sees
   * it: a tree made at once is ten times as fast, and leaves nothing to collect. Confined to one
   * thread until it is settled.
   */
  public static <K, V> PersistentMap<K, V> open() {
    return new PersistentMap<>(new Heap<>());
  }

  /** What was put in so far, for good; itself when it is not open. */
  public PersistentMap<K, V> settled() {
    return heap == null ? this : heap.map();
  }

  /** How many keys. */
  public int size() {
    return heap == null ? size : heap.size;
  }

  /** The key's value, or null. */
  public @Nullable V get(K key) {
    int hash = spread(key);
    if (heap != null) {
      return heap.get(key, hash);
    }
    var node = root;
    for (int shift = 0; node != null; shift += BITS) {
      switch (node) {
        case Leaf<K, V>(int h, K k, V v) -> {
          return h == hash && k.equals(key) ? v : null;
        }
        case Branch<K, V>(int bitmap, Nodes<K, V> children) -> {
          int bit = bit(hash, shift);
          node = (bitmap & bit) == 0 ? null : children.get(index(bitmap, bit));
        }
        case Bucket<K, V>(int h, Nodes<K, V> leaves) -> {
          int i = h == hash ? find(leaves, key) : -1;
          return i < 0 ? null : ((Leaf<K, V>) leaves.get(i)).value();
        }
      }
    }
    return null;
  }

  /** This map with the key at that value; an open one is changed. */
  public PersistentMap<K, V> with(K key, V value) {
    var leaf =
        new Leaf<K, V>(spread(key), Objects.requireNonNull(key), Objects.requireNonNull(value));
    if (heap != null) {
      heap.put(leaf);
      return this;
    }
    boolean grows = get(key) == null;
    return new PersistentMap<>(root == null ? leaf : put(root, leaf, 0), grows ? size + 1 : size);
  }

  /** This map without the key; itself when the key is not there. An open one is settled by it. */
  public PersistentMap<K, V> without(K key) {
    if (heap != null) {
      return get(key) == null ? this : heap.map().without(key);
    }
    if (root == null || get(key) == null) {
      return this;
    }
    return new PersistentMap<>(remove(root, spread(key), key, 0), size - 1);
  }

  /** Calls back for every key, in no order that means anything. */
  public void forEach(BiConsumer<? super K, ? super V> each) {
    var node = heap == null ? root : heap.map().root;
    if (node != null) {
      visit(node, each);
    }
  }

  private static <K, V> Node<K, V> put(Node<K, V> node, Leaf<K, V> leaf, int shift) {
    return switch (node) {
      case Leaf<K, V> old ->
          old.hash() == leaf.hash() && old.key().equals(leaf.key())
              ? leaf
              : join(old, old.hash(), leaf, shift);
      case Branch<K, V>(int bitmap, Nodes<K, V> children) -> {
        int bit = bit(leaf.hash(), shift);
        int i = index(bitmap, bit);
        yield (bitmap & bit) == 0
            ? new Branch<>(bitmap | bit, children.inserted(i, leaf))
            : new Branch<>(bitmap, children.with(i, put(children.get(i), leaf, shift + BITS)));
      }
      case Bucket<K, V> bucket -> {
        if (bucket.hash() != leaf.hash()) {
          yield join(bucket, bucket.hash(), leaf, shift);
        }
        var leaves = bucket.leaves();
        int i = find(leaves, leaf.key());
        yield new Bucket<>(
            bucket.hash(), i < 0 ? leaves.inserted(leaves.length(), leaf) : leaves.with(i, leaf));
      }
    };
  }

  /** The smallest subtree that holds both. */
  private static <K, V> Node<K, V> join(Node<K, V> old, int oldHash, Leaf<K, V> leaf, int shift) {
    if (shift >= HASH_BITS) {
      return new Bucket<>(leaf.hash(), Nodes.of(old, leaf));
    }
    int oldBit = bit(oldHash, shift);
    int newBit = bit(leaf.hash(), shift);
    if (oldBit == newBit) {
      return new Branch<>(oldBit, Nodes.of(join(old, oldHash, leaf, shift + BITS)));
    }
    boolean oldFirst = Integer.compareUnsigned(oldBit, newBit) < 0;
    return new Branch<>(oldBit | newBit, oldFirst ? Nodes.of(old, leaf) : Nodes.of(leaf, old));
  }

  /** What is left without a key that is in there, or null. */
  private static <K, V> @Nullable Node<K, V> remove(Node<K, V> node, int hash, K key, int shift) {
    return switch (node) {
      case Leaf<K, V> _ -> null;
      case Branch<K, V>(int bitmap, Nodes<K, V> children) -> {
        int bit = bit(hash, shift);
        int i = index(bitmap, bit);
        var left = remove(children.get(i), hash, key, shift + BITS);
        if (left != null) {
          yield children.length() == 1 && !(left instanceof Branch)
              ? left
              : new Branch<>(bitmap, children.with(i, left));
        }
        if (children.length() == 1) {
          yield null;
        }
        if (children.length() == 2 && !(children.get(1 - i) instanceof Branch)) {
          yield children.get(1 - i);
        }
        yield new Branch<>(bitmap & ~bit, children.removed(i));
      }
      case Bucket<K, V>(int h, Nodes<K, V> leaves) -> {
        int i = find(leaves, key);
        yield leaves.length() == 2 ? leaves.get(1 - i) : new Bucket<>(h, leaves.removed(i));
      }
    };
  }

  private static <K, V> void visit(Node<K, V> node, BiConsumer<? super K, ? super V> each) {
    switch (node) {
      case Leaf<K, V>(int _, K key, V value) -> each.accept(key, value);
      case Branch<K, V>(int _, Nodes<K, V> children) -> {
        for (var child : children.array) {
          visit(child, each);
        }
      }
      case Bucket<K, V>(int _, Nodes<K, V> leaves) -> {
        for (var leaf : leaves.array) {
          visit(leaf, each);
        }
      }
    }
  }

  private static <K, V> int find(Nodes<K, V> leaves, K key) {
    for (int i = 0; i < leaves.length(); i++) {
      if (((Leaf<K, V>) leaves.get(i)).key().equals(key)) {
        return i;
      }
    }
    return -1;
  }

  private static int bit(int hash, int shift) {
    return 1 << ((hash >>> shift) & 31);
  }

  private static int index(int bitmap, int bit) {
    return Integer.bitCount(bitmap & (bit - 1));
  }

  private static int spread(Object key) {
    int h = key.hashCode();
    return h ^ (h >>> 16);
  }

  /**
   * The leaves of an open map as they came, found by a hash table with linear probing that is half
   * full at most. The table holds numbers: references written all over a large array would have
   * every collection look at all of it.
   */
  private static final class Heap<K, V> {
    private static final int SLOT_BITS_MIN = 5;
    private static final int SPREAD = 0x9e3779b9;
    private static final int CHUNK_BITS = 10;

    private final ArrayList<Leaf<K, V>[]> chunks = new ArrayList<>();
    private int[] table = new int[1 << SLOT_BITS_MIN]; // 1 + number of the leaf
    private int slotBits = SLOT_BITS_MIN;
    private int size;

    Leaf<K, V> leaf(int number) {
      return chunks.get(number >>> CHUNK_BITS)[number & (1 << CHUNK_BITS) - 1];
    }

    private void set(int number, Leaf<K, V> leaf) {
      chunks.get(number >>> CHUNK_BITS)[number & (1 << CHUNK_BITS) - 1] = leaf;
    }

    @Nullable V get(K key, int hash) {
      int entry = table[slot(key, hash)];
      return entry == 0 ? null : leaf(entry - 1).value();
    }

    void put(Leaf<K, V> leaf) {
      int slot = slot(leaf.key(), leaf.hash());
      if (table[slot] != 0) {
        set(table[slot] - 1, leaf);
        return;
      }
      if (size == table.length / 2) {
        grow();
        slot = slot(leaf.key(), leaf.hash());
      }
      if (size == chunks.size() << CHUNK_BITS) {
        chunks.add(leaves());
      }
      set(size, leaf);
      table[slot] = ++size;
    }

    @SuppressWarnings("unchecked") // it only ever holds this map's leaves
    private static <K, V> Leaf<K, V>[] leaves() {
      return (Leaf<K, V>[]) new Leaf<?, ?>[1 << CHUNK_BITS];
    }

    /** Where the key is, or the empty slot where it belongs. */
    private int slot(K key, int hash) {
      int slot = (hash * SPREAD) >>> (Integer.SIZE - slotBits);
      for (int entry = table[slot]; entry != 0; entry = table[slot]) {
        var leaf = leaf(entry - 1);
        if (leaf.hash() == hash && leaf.key().equals(key)) {
          return slot;
        }
        slot = slot + 1 & table.length - 1;
      }
      return slot;
    }

    private void grow() {
      slotBits++;
      var larger = new int[1 << slotBits];
      for (int number = 0; number < size; number++) {
        int slot = (leaf(number).hash() * SPREAD) >>> (Integer.SIZE - slotBits);
        while (larger[slot] != 0) {
          slot = slot + 1 & larger.length - 1;
        }
        larger[slot] = number + 1;
      }
      table = larger;
    }

    PersistentMap<K, V> map() {
      return size == 0 ? empty() : new PersistentMap<>(new Planting<>(this).root(), size);
    }
  }

  /**
   * Makes the tree over leaves that are all there: sorts them by their paths, and makes each branch
   * once, with as many children as it has. Used once.
   */
  private static final class Planting<K, V> {
    private static final int LAST_DIGIT_MAX = 3; // two bits of the hash are left for it

    private final Heap<K, V> heap;
    private final long[] sorted; // path, so that the order of numbers is its order, and leaf

    Planting(Heap<K, V> heap) {
      this.heap = heap;
      sorted = new long[heap.size];
      for (int i = 0; i < sorted.length; i++) {
        int path = path(heap.leaf(i).hash());
        sorted[i] = ((long) (path ^ Integer.MIN_VALUE) << Integer.SIZE) | i;
      }
      Arrays.sort(sorted);
    }

    Node<K, V> root() {
      return node(0, sorted.length, 0);
    }

    /** The hash's digits in the order in which they are looked at, the first one on top. */
    private static int path(int hash) {
      int path = 0;
      for (int shift = 0; shift < HASH_BITS; shift += BITS) {
        int digit = (hash >>> shift) & 31;
        int left = HASH_BITS - BITS - shift;
        path |= left >= 0 ? digit << left : digit;
      }
      return path;
    }

    private Node<K, V> node(int from, int to, int shift) {
      if (to - from == 1) {
        return leaf(from);
      }
      if (shift >= HASH_BITS) {
        return bucket(from, to);
      }
      int bitmap = 0;
      for (int i = from; i < to; i = end(i, to, shift)) {
        bitmap |= 1 << digit(i, shift);
      }
      Node<K, V>[] children = array(Integer.bitCount(bitmap));
      int child = 0;
      for (int i = from, end; i < to; i = end) {
        end = end(i, to, shift);
        children[child++] = node(i, end, shift + BITS);
      }
      return new Branch<>(bitmap, new Nodes<>(children));
    }

    private Node<K, V> bucket(int from, int to) {
      Node<K, V>[] equal = array(to - from);
      for (int i = from; i < to; i++) {
        equal[i - from] = leaf(i);
      }
      return new Bucket<>(leaf(from).hash(), new Nodes<>(equal));
    }

    private Leaf<K, V> leaf(int i) {
      return heap.leaf((int) sorted[i]);
    }

    private int digit(int i, int shift) {
      int path = (int) (sorted[i] >>> Integer.SIZE) ^ Integer.MIN_VALUE;
      int right = HASH_BITS - BITS - shift;
      return (right >= 0 ? path >>> right : path & LAST_DIGIT_MAX) & 31;
    }

    /** Behind the leaves that take the same turn as that one. */
    private int end(int from, int to, int shift) {
      int rest = Long.SIZE - Math.min(shift + BITS, HASH_BITS);
      long turn = sorted[from] >>> rest;
      int end = from + 1;
      while (end < to && sorted[end] >>> rest == turn) {
        end++;
      }
      return end;
    }
  }

  @SuppressWarnings("unchecked") // an array of nodes of one map only ever holds that map's
  private static <K, V> Node<K, V>[] array(int length) {
    return (Node<K, V>[]) new Node<?, ?>[length];
  }
}
