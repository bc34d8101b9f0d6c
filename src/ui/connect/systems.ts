/** Commands that make a system trust the authority, each with the one that takes it back. */

interface System {
  readonly name: string;
  readonly install: string;
  readonly remove: string;
}

/** @param sha1 of the authority, in groups */
export function systems(origin: string, sha1: string): readonly System[] {
  const hash = sha1.replaceAll(' ', '');
  return [
    {
      name: 'macOS',
      install: `curl -o glassmail-ca.crt ${origin}/ca.crt
sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain glassmail-ca.crt`,
      remove: `sudo security delete-certificate -t -Z ${hash} /Library/Keychains/System.keychain`,
    },
    {
      name: 'Windows',
      install: `curl.exe -o glassmail-ca.crt ${origin}/ca.crt
certutil -user -addstore Root glassmail-ca.crt`,
      remove: `certutil -user -delstore Root ${hash}`,
    },
    {
      name: 'Debian, Ubuntu',
      install: `sudo curl -o /usr/local/share/ca-certificates/glassmail.crt ${origin}/ca.pem
sudo update-ca-certificates`,
      remove: `sudo rm /usr/local/share/ca-certificates/glassmail.crt
sudo update-ca-certificates --fresh`,
    },
    {
      name: 'Fedora, RHEL',
      install: `sudo curl -o /etc/pki/ca-trust/source/anchors/glassmail.pem ${origin}/ca.pem
sudo update-ca-trust`,
      remove: `sudo rm /etc/pki/ca-trust/source/anchors/glassmail.pem
sudo update-ca-trust`,
    },
    {
      name: 'Chromium on Linux (NSS)',
      install: `curl -o glassmail-ca.crt ${origin}/ca.crt
certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n glassmail -i glassmail-ca.crt`,
      remove: 'certutil -d sql:$HOME/.pki/nssdb -D -n glassmail',
    },
    {
      name: 'Thunderbird, Firefox for everybody (policies.json)',
      install: `{"policies": {"Certificates": {"Install": ["/etc/thunderbird/policies/glassmail-ca.crt"]}}}`,
      remove: 'sudo rm /etc/thunderbird/policies/policies.json /etc/thunderbird/policies/glassmail-ca.crt',
    },
  ];
}
