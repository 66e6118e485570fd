package dev.holdfast.ledger;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A hash map of which every change makes a new one that shares nearly everything with the old: a
 * hash array mapped trie (Bagwell, "Ideal Hash Trees", 2001), 32 ways, with buckets at the bottom
 * for equal hashes. A view made of such maps is published by one volatile write, however large it
 * is. Immutable.
 */
public final class PersistentMap<K, V> {
  private static final int BITS = 5;
  private static final int HASH_BITS = 32;
  private static final PersistentMap<?, ?> EMPTY = new PersistentMap<>(null, 0);

  private final @Nullable Node<K, V> root;
  private final int size;

  private PersistentMap(@Nullable Node<K, V> root, int size) {
    this.root = root;
    this.size = size;
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

  /** How many keys. */
  public int size() {
    return size;
  }

  /** The key's value, or null. */
  public @Nullable V get(K key) {
    int hash = spread(key);
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

  /** This map with the key at that value. */
  public PersistentMap<K, V> with(K key, V value) {
    var leaf =
        new Leaf<K, V>(spread(key), Objects.requireNonNull(key), Objects.requireNonNull(value));
    boolean grows = get(key) == null;
    return new PersistentMap<>(root == null ? leaf : put(root, leaf, 0), grows ? size + 1 : size);
  }

  /** This map without the key; itself when the key is not there. */
  public PersistentMap<K, V> without(K key) {
    if (root == null || get(key) == null) {
      return this;
    }
    return new PersistentMap<>(remove(root, spread(key), key, 0), size - 1);
  }

  /** Calls back for every key, in no order that means anything. */
  public void forEach(BiConsumer<? super K, ? super V> each) {
    if (root != null) {
      visit(root, each);
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
}
