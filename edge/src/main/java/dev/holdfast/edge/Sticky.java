package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The value of the cookie that leads a visitor back to the endpoint that he came from, signed, so
 * that nobody chooses an endpoint by himself: {@code base64url(id).base64url(hmac)}, where the HMAC
 * (RFC 2104, SHA-256, cut to 128 bits) covers the service too. Thread-safe.
 */
final class Sticky {
  private static final String ALGORITHM = "HmacSHA256";
  private static final int SECRET_BYTES_MIN = 16;
  private static final int TAG_BYTES = 16;
  private static final int VALUE_CHARS_MAX = 512;
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();
  private static final Base64.Decoder DECODER = Base64.getUrlDecoder();

  private final SecretKeySpec secret;

  /**
   * Signs with that secret, which all nodes share.
   *
   * @param secret at least 16 bytes
   */
  Sticky(byte[] secret) {
    Check.that(
        secret.length >= SECRET_BYTES_MIN,
        "sticky secret",
        secret.length + " bytes",
        "at least " + SECRET_BYTES_MIN + " bytes");
    this.secret = new SecretKeySpec(secret, ALGORITHM);
  }

  /** The cookie's value for an endpoint of that service. */
  String seal(String service, String endpointId) {
    var id = endpointId.getBytes(StandardCharsets.UTF_8);
    return ENCODER.encodeToString(id) + "." + ENCODER.encodeToString(tag(service, id));
  }

  /** The endpoint's id, or null when the value is not one of ours for that service. */
  @Nullable String open(String service, String value) {
    int dot = value.indexOf('.');
    if (dot <= 0 || value.length() > VALUE_CHARS_MAX) {
      return null;
    }
    try {
      var id = DECODER.decode(value.substring(0, dot));
      var tag = DECODER.decode(value.substring(dot + 1));
      return MessageDigest.isEqual(tag, tag(service, id))
          ? new String(id, StandardCharsets.UTF_8)
          : null;
    } catch (IllegalArgumentException e) {
      return null; // not base64, so not ours
    }
  }

  private byte[] tag(String service, byte[] id) {
    try {
      var mac = Mac.getInstance(ALGORITHM);
      mac.init(secret);
      mac.update(service.getBytes(StandardCharsets.UTF_8));
      mac.update((byte) 0);
      return Arrays.copyOf(mac.doFinal(id), TAG_BYTES);
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException(ALGORITHM + " (expected: in every JDK)", e);
    }
  }
}
