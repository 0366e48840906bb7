/**
 * A certificate for 127.0.0.1 that nobody vouches for, until the year 2126, with its key: for tests of what refuses it. Made once, because Node makes none and
 * a machine that runs the tests need not have openssl.
 */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgn12fcvCO/OlEWxKF
ahVPR49ci72rfpaJKND8VUxVqmWhRANCAARYFA+xJUodSWvMlmoWySeKrlt5aXmy
4rgOnuvffctgRf8WGOFz/B19vsSgH/dAm5Xf9WrWz/n801i+8AKHj1I1
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBkTCCATagAwIBAgIUI/YDoylpZ2tUpBkTo7V3pCHk+TQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyNjAwNDI1MloYDzIxMjYxMTAy
MDA0MjUyWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARYFA+xJUodSWvMlmoWySeKrlt5aXmy4rgOnuvffctgRf8WGOFz/B19
vsSgH/dAm5Xf9WrWz/n801i+8AKHj1I1o2QwYjAdBgNVHQ4EFgQU6ofQm9XSJ6M4
6TcmeWYNkE6K67kwHwYDVR0jBBgwFoAU6ofQm9XSJ6M46TcmeWYNkE6K67kwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYC
IQC6QD54T2NEbAbPFHsDDB2ymfLJONBcv4clg0MwnT7flQIhAIvCcQmO1z7Ne571
cfJjKcZikJwEDriYLd2Xsq8vE5J+
-----END CERTIFICATE-----`,
};
