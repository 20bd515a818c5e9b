package dev.troupe.server.redis;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import javax.net.ssl.TrustManagerFactory;

/** Whom to believe that a Redis is the right one. */
final class TlsTrust {

  private TlsTrust() {}

  /**
   * Trust in nobody but the authorities of a PEM file.
   *
   * @throws RedisStartupException with a message for people when the file holds none
   */
  static TrustManagerFactory inAuthorities(Path pem) {
    try (InputStream in = Files.newInputStream(pem)) {
      Collection<? extends Certificate> authorities =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (authorities.isEmpty()) {
        throw new RedisStartupException("redis.tls-ca: " + pem + " holds no certificate");
      }
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int number = 0;
      for (Certificate authority : authorities) {
        store.setCertificateEntry("authority-" + number++, authority);
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      return trust;
    } catch (IOException | GeneralSecurityException e) {
      throw new RedisStartupException(
          "redis.tls-ca: " + pem + " cannot be read (expected: certificates in PEM): " + e, e);
    }
  }
}
