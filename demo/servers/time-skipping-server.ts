import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, madeOnce } from './cache-folder.ts';
import { executable, onPath, runTool } from './run-tool.ts';
import { sdkDownload, sdkDownloaded } from './sdk-download.ts';
import type { Provisioning } from './temporal-cli.ts';

/** The release of the Java test server that was tried with this SDK; a JVM from 8 on runs it. */
const SERVER_VERSION = '1.31.0';

/** 40 files, 33 MB, about 10 s; a slow network comes on top. */
const MAVEN_MS = 10 * 60_000;

/**
 * The path of a time-skipping test server, for `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type:
 * 'existing-path', path } } })`: from the cache, else by the SDK's own download, else the Java one from Maven.
 * @throws with what is needed, where none of them works.
 */
export async function provideTimeSkippingServer({ env, say, signal }: Provisioning): Promise<string> {
  const folder = cacheFolder(env);
  const java = join(folder, `time-skipping-server-${SERVER_VERSION}`, 'run');
  const downloadedBefore = await sdkDownloaded('createTimeSkipping', folder);
  if (downloadedBefore !== null) return downloadedBefore;
  const tools = { java: await onPath('java', env), mvn: await onPath('mvn', env) };
  if (tools.java !== null && (await executable(java))) return java;

  say('Time-skipping test server: asking the Temporal SDK to download it (once)');
  const downloaded = await sdkDownload('createTimeSkipping', folder, env, signal);
  if (downloaded !== null) return downloaded;

  const { mvn } = tools;
  if (tools.java === null || mvn === null) {
    const missing = [tools.java === null ? 'java' : null, mvn === null ? 'mvn' : null].filter((tool) => tool !== null);
    throw new Error(
      `No time-skipping test server: the Temporal SDK's download is not reachable from here, and to run the Java one ` +
        `${missing.join(' and ')} must be on the PATH. Install Java and Maven, or let this machine reach the download.`,
    );
  }
  say(
    `Time-skipping test server: no download from here; fetching ${SERVER_VERSION} with Maven, once (33 MB, about 10 s)`,
  );
  await madeOnce(folder, `time-skipping-server-${SERVER_VERSION}`, async (into) => {
    await writeFile(join(into, 'pom.xml'), POM);
    const args = ['-q', '-B', '-f', join(into, 'pom.xml'), 'dependency:copy-dependencies', '-DoutputDirectory=lib'];
    await runTool({ file: mvn, args, env, cwd: into, withinMs: MAVEN_MS, signal });
    await writeFile(join(into, 'run'), RUN, { mode: 0o755 });
  });
  return java;
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>time-skipping-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${SERVER_VERSION}</version>
    </dependency>
    <dependency><!-- without a logger of its own it says so at every start -->
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

/** The SDK ends the server it started; the watcher does so too where the SDK's process was killed. `exec` keeps the pid. */
const RUN = `#!/bin/sh
( while kill -0 "$PPID" && kill -0 $$; do sleep 1; done; kill -9 $$ ) >/dev/null 2>&1 </dev/null &
exec java -XX:+UseSerialGC -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;
