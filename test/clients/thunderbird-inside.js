/**
 * What the tests have Thunderbird do, by its own interfaces (the IDL files of its mailnews/ folder) and its own windows.
 * This runs inside of it, in the main window; each step is called by its name from outside.
 */
/* global ChromeUtils, Services, Cc, Ci, Components, document, window */
const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs');

const about3Pane = () => document.getElementById('tabmail').currentAbout3Pane;
const msgWindow = () => window.msgWindow;

/** Of an account, by its login name. */
function serverOf(user) {
  const server = MailServices.accounts.allServers.find(({ username }) => username === user);
  if (!server) throw new Error(`There is no account of ${user}`);
  return server;
}

/** @param path names of folders, from the account's root; `Inbox` is found by what it is */
function folderOf(user, path) {
  const root = serverOf(user).rootFolder;
  if (path === 'Inbox') return root.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  return path.split('/').reduce((folder, name) => folder?.getChildNamed(name) ?? null, root);
}

function messagesOf(folder) {
  return folder?.msgDatabase ? [...folder.messages] : [];
}

function messageOf(folder, subject) {
  const found = messagesOf(folder).find(({ mime2DecodedSubject }) => mime2DecodedSubject === subject);
  if (!found) throw new Error(`There is no message "${subject}" in ${folder.name}`);
  return found;
}

/** Looks again whenever Thunderbird tells of a change in any folder. */
function until(holds) {
  return new Promise((resolve, reject) => {
    const look = () => {
      try {
        const value = holds();
        if (!value) return;
        MailServices.mailSession.RemoveFolderListener(listener);
        resolve(value);
      } catch (error) {
        MailServices.mailSession.RemoveFolderListener(listener);
        reject(error);
      }
    };
    // Behind the event, which comes before what it tells of is whole.
    const lookSoon = () => Services.tm.dispatchToMainThread(look);
    const listener = {
      onFolderAdded: lookSoon,
      onMessageAdded: lookSoon,
      onFolderRemoved: lookSoon,
      onMessageRemoved: lookSoon,
      onFolderPropertyChanged: lookSoon,
      onFolderIntPropertyChanged: lookSoon,
      onFolderBoolPropertyChanged: lookSoon,
      onFolderPropertyFlagChanged: lookSoon,
      onFolderEvent: lookSoon,
    };
    MailServices.mailSession.AddFolderListener(listener, Ci.nsIFolderListener.all);
    look();
  });
}

/** `start` gets a listener; resolves when the URL that it started has run. */
function runUrl(start) {
  return new Promise((resolve, reject) => {
    start({
      QueryInterface: ChromeUtils.generateQI(['nsIUrlListener']),
      OnStartRunningUrl() {},
      OnStopRunningUrl(url, status) {
        if (Components.isSuccessCode(status)) resolve();
        else reject(new Error(`${url?.spec} ended with 0x${status.toString(16)}`));
      },
    });
  });
}

/** The same for what copies, moves and deletes messages. */
function runCopy(start) {
  return new Promise((resolve, reject) => {
    start({
      QueryInterface: ChromeUtils.generateQI(['nsIMsgCopyServiceListener']),
      onStartCopy() {},
      onProgress() {},
      setMessageKey() {},
      getMessageId: () => null,
      onStopCopy(status) {
        if (Components.isSuccessCode(status)) resolve();
        else reject(new Error(`The copy ended with 0x${status.toString(16)}`));
      },
    });
  });
}

/** @returns an AccountConfig of Thunderbird's @throws when it finds none */
async function discover(email) {
  const { FindConfig } = ChromeUtils.importESModule('resource:///modules/accountcreation/FindConfig.sys.mjs');
  const domain = email.slice(email.indexOf('@') + 1);
  const search = FindConfig.parallelAutoDiscovery(domain, email, new AbortController().signal);
  const { value, done } = await search.next();
  if (!done || !value) throw new Error(`Thunderbird found ${JSON.stringify(value)}`);
  return value;
}

const summary = (message) => ({
  subject: message.mime2DecodedSubject,
  from: message.mime2DecodedAuthor,
  isRead: message.isRead,
  isFlagged: message.isFlagged,
  tags: message
    .getStringProperty('keywords')
    .split(' ')
    .filter((word) => word.startsWith('$label')),
});

function event(target, name) {
  return new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
}

/** A window for a new message, with its fields filled in. */
async function openCompose(user, { to, subject, body, attachment }) {
  const fields = Cc['@mozilla.org/messengercompose/composefields;1'].createInstance(Ci.nsIMsgCompFields);
  Object.assign(fields, { to, subject, body });
  if (attachment !== undefined) {
    const file = Cc['@mozilla.org/messengercompose/attachment;1'].createInstance(Ci.nsIMsgAttachment);
    file.url = `file://${attachment}`;
    file.name = attachment.replace(/.*\//, '');
    fields.addAttachment(file);
  }
  const params = Cc['@mozilla.org/messengercompose/composeparams;1'].createInstance(Ci.nsIMsgComposeParams);
  params.type = Ci.nsIMsgCompType.New;
  params.format = Ci.nsIMsgCompFormat.PlainText;
  params.identity = MailServices.accounts.allIdentities.find(({ email }) => email === user);
  params.composeFields = fields;
  const opened = new Promise((resolve) => {
    const observer = (subjectWindow, topic) => {
      if (topic !== 'domwindowopened') return;
      Services.ww.unregisterNotification(observer);
      resolve(subjectWindow);
    };
    Services.ww.registerNotification(observer);
  });
  MailServices.compose.OpenComposeWindowWithParams(null, params);
  const compose = await opened;
  await event(compose, 'compose-editor-ready');
  // Its commands wait for the addresses to be looked at.
  const command = compose.document.getElementById('cmd_sendNow');
  await new Promise((resolve) => {
    const look = () => !command.hasAttribute('disabled') && resolve();
    new compose.MutationObserver(look).observe(command, { attributes: true });
    look();
  });
  return compose;
}

/** Resolves when the message that a window composes is saved. */
function saved(compose) {
  return new Promise((resolve, reject) => {
    const listener = {
      QueryInterface: ChromeUtils.generateQI(['nsIMsgComposeStateListener']),
      NotifyComposeFieldsReady() {},
      NotifyComposeBodyReady() {},
      SaveInFolderDone() {},
      ComposeProcessDone(status) {
        compose.gMsgCompose.UnregisterStateListener(listener);
        if (Components.isSuccessCode(status)) resolve();
        else reject(new Error(`Saving ended with 0x${status.toString(16)}`));
      },
    };
    compose.gMsgCompose.RegisterStateListener(listener);
  });
}

const steps = {
  /** Trusts an authority, as the certificate manager's import does, and keeps passwords, as the password prompt does. */
  async prepare(authorityPem, users, password) {
    const base64 = authorityPem.replace(/-----[^-]+-----|\s/g, '');
    Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB).addCertFromBase64(base64, 'C,,');
    const Login = Components.Constructor('@mozilla.org/login-manager/loginInfo;1', 'nsILoginInfo', 'init');
    for (const { user, schemes } of users) {
      for (const scheme of schemes) {
        const origin = `${scheme}://localhost`;
        await Services.logins.addLoginAsync(new Login(origin, null, origin, user, password, '', ''));
      }
    }
  },

  /** Looks for all folders, as opening an account in the list of folders does. @returns their names, sorted */
  async folders(user) {
    const { rootFolder } = serverOf(user);
    await runUrl((listener) => MailServices.imap.discoverAllFolders(rootFolder, listener, msgWindow()));
    return rootFolder.descendants.map((folder) => folder.URI.replace(/^\w+:\/\/[^/]*\//, '')).sort();
  },

  /** Shows a folder, until it has so many messages. */
  async show(user, path, count) {
    const folder = await until(() => folderOf(user, path));
    about3Pane().displayFolder(folder.URI);
    await until(() => messagesOf(folder).length === count);
    return messagesOf(folder).map(summary);
  },

  /** Shows a message of the folder that is shown. @returns its text, and the names of its attachments */
  async read(user, path, subject) {
    const pane = about3Pane();
    const message = messageOf(folderOf(user, path), subject);
    const browser = pane.messageBrowser.contentWindow;
    const loaded = event(browser, 'MsgLoaded');
    pane.threadTree.selectedIndex = pane.gDBView.findIndexOfMsgHdr(message, true);
    await loaded;
    return {
      text: browser.getMessagePaneBrowser().contentDocument.body.textContent,
      attachments: browser.currentAttachments.map(({ name }) => name),
    };
  },

  async downloadForOffline(user, path) {
    const folder = folderOf(user, path);
    await runUrl((listener) => folder.downloadAllForOffline(listener, msgWindow()));
    return messagesOf(folder).map((message) => {
      const input = folder.getMsgInputStream(message);
      const binary = Cc['@mozilla.org/binaryinputstream;1'].createInstance(Ci.nsIBinaryInputStream);
      binary.setInputStream(input);
      let octets = '';
      for (let more = binary.available(); more > 0; more = binary.available()) octets += binary.readBytes(more);
      return octets;
    });
  },

  async mark(user, path, subject, { read, flagged, addTag, removeTag }) {
    const folder = folderOf(user, path);
    const messages = [messageOf(folder, subject)];
    if (read !== undefined) folder.markMessagesRead(messages, read);
    if (flagged !== undefined) folder.markMessagesFlagged(messages, flagged);
    if (addTag !== undefined) folder.addKeywordsToMessages(messages, addTag);
    if (removeTag !== undefined) folder.removeKeywordsFromMessages(messages, removeTag);
  },

  async markAllRead(user, path) {
    folderOf(user, path).markAllMessagesRead(msgWindow());
  },

  /** As the change comes from elsewhere. */
  async untilMarked(user, path, subject, expected) {
    const folder = folderOf(user, path);
    await until(() => {
      const { isRead, isFlagged, tags } = summary(messageOf(folder, subject));
      return JSON.stringify({ isRead, isFlagged, tags }) === JSON.stringify(expected);
    });
  },

  /** Without the undo, for whose sake it would do on the server later what it shows at once, and tell nobody when. */
  async transfer(user, path, subjects, destination, isMove) {
    const source = folderOf(user, path);
    const target = await until(() => folderOf(user, destination));
    const messages = subjects.map((subject) => messageOf(source, subject));
    await runCopy((listener) =>
      MailServices.copy.copyMessages(source, messages, target, isMove, listener, msgWindow(), false),
    );
  },

  /** To the trash, or where it is in there, for good. */
  async remove(user, path, subjects) {
    const folder = folderOf(user, path);
    const messages = subjects.map((subject) => messageOf(folder, subject));
    const isTrash = folder.isSpecialFolder(Ci.nsMsgFolderFlags.Trash, true);
    await runCopy((listener) => folder.deleteMessages(messages, msgWindow(), isTrash, false, listener, false));
  },

  async emptyTrash(user) {
    await runUrl((listener) => serverOf(user).rootFolder.emptyTrash(listener));
  },

  async makeFolder(user, parent, name) {
    const folder = parent === '' ? serverOf(user).rootFolder : folderOf(user, parent);
    folder.createSubfolder(name, msgWindow());
    await until(() => folder.getChildNamed(name));
  },

  async renameFolder(user, path, name) {
    const folder = folderOf(user, path);
    const { parent } = folder;
    folder.rename(name, msgWindow());
    await until(() => parent.getChildNamed(name));
  },

  async removeFolder(user, path) {
    const folder = folderOf(user, path);
    const { parent, name } = folder;
    folder.deleteSelf(msgWindow());
    await until(() => !parent.getChildNamed(name));
  },

  /** On the server, as "Run search on server" does. @returns the subjects found, sorted */
  async search(user, path, attribute, text) {
    const session = Cc['@mozilla.org/messenger/searchSession;1'].createInstance(Ci.nsIMsgSearchSession);
    session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folderOf(user, path));
    const term = session.createTerm();
    term.attrib = Ci.nsMsgSearchAttrib[attribute];
    term.op = Ci.nsMsgSearchOp.Contains;
    const value = term.value;
    value.attrib = term.attrib;
    value.str = text;
    term.value = value;
    term.booleanAnd = true;
    session.appendTerm(term);
    const found = [];
    await new Promise((resolve, reject) => {
      session.registerListener({
        QueryInterface: ChromeUtils.generateQI(['nsIMsgSearchNotify']),
        onNewSearch() {},
        onSearchHit: (message) => found.push(message.mime2DecodedSubject),
        onSearchDone(status) {
          if (Components.isSuccessCode(status)) resolve();
          else reject(new Error(`The search ended with 0x${status.toString(16)}`));
        },
      });
      session.search(msgWindow());
    });
    return found.sort();
  },

  async send(user, message) {
    const compose = await openCompose(user, message);
    const closed = event(compose, 'unload');
    compose.goDoCommand('cmd_sendNow');
    await closed;
  },

  /** Saves it, and saves it again with another subject, which takes the first one's place. */
  async saveDraft(user, message, laterSubject) {
    const compose = await openCompose(user, message);
    const first = saved(compose);
    compose.goDoCommand('cmd_saveAsDraft');
    await first;
    compose.document.getElementById('msgSubject').value = laterSubject;
    compose.document.getElementById('msgSubject').dispatchEvent(new compose.Event('input', { bubbles: true }));
    const second = saved(compose);
    compose.goDoCommand('cmd_saveAsDraft');
    await second;
    const closed = event(compose, 'unload');
    compose.close();
    await closed;
  },

  /** Of a POP3 account. */
  async getMail(user) {
    const server = serverOf(user);
    const inbox = folderOf(user, 'Inbox');
    await runUrl((listener) => MailServices.pop3.GetNewMail(msgWindow(), listener, inbox, server));
  },

  /** What it finds for an address, as it looks when an account is set up. */
  async findSettings(email) {
    const found = await discover(email);
    const server = ({ type, hostname, port, socketType, username }) => ({ type, hostname, port, socketType, username });
    return {
      source: found.subSource,
      incoming: [found.incoming, ...found.incomingAlternatives].map(server),
      outgoing: [found.outgoing, ...found.outgoingAlternatives].map(server),
    };
  },

  /** Finds the settings, tries them by logging in, and makes the account. */
  async setUp(email, name, password) {
    const found = await discover(email);
    const { AccountConfig } = ChromeUtils.importESModule('resource:///modules/accountcreation/AccountConfig.sys.mjs');
    const { ConfigVerifier } = ChromeUtils.importESModule('resource:///modules/accountcreation/ConfigVerifier.sys.mjs');
    const { CreateInBackend } = ChromeUtils.importESModule(
      'resource:///modules/accountcreation/CreateInBackend.sys.mjs',
    );
    found.identity.realname = name;
    found.identity.emailAddress = email;
    AccountConfig.replaceVariables(found, name, email, password);
    const verified = await new ConfigVerifier(msgWindow(), new AbortController().signal).verifyConfig(found);
    const { incomingServer } = await CreateInBackend.createAccountInBackend(verified);
    return incomingServer.serverURI;
  },

  /** What else is open, with the texts of dialogs, and the last errors: what Thunderbird complains about. */
  situation() {
    const windows = [...Services.wm.getEnumerator(null)].filter((each) => each !== window);
    const errors = Services.console.getMessageArray().filter((each) => each instanceof Ci.nsIScriptError);
    return [
      ...windows.map(({ document: { title } }) => title),
      ...windows.map((each) => each.document.getElementById('infoBody')?.textContent ?? ''),
      ...errors
        .slice(-8)
        .map(({ errorMessage, sourceName, lineNumber }) => `${errorMessage} ${sourceName}:${lineNumber}`),
    ].filter((line) => line !== '');
  },
};
