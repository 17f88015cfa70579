/** TLS 1.3 at least, with a certificate of every client: what createSsl of grpc-js cannot be told. */
import { ServerCredentials } from "@grpc/grpc-js";
import type { TlsFiles } from "@vigie/proto";

export class MutualTls extends ServerCredentials {
  constructor({ ca, certificate, key }: TlsFiles) {
    super({ requestCert: true }, { ca, cert: certificate, key, minVersion: "TLSv1.3" });
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
