// Uploads files with tus-js-client. Reads {endpoint, token, files: [{path, sha256}]} from stdin;
// several go at once. Exits with 1 and a reason if one does not arrive.
import { readFileSync } from "node:fs"
import { Upload } from "tus-js-client"

const { endpoint, token, files } = JSON.parse(readFileSync(0, "utf8"))
const AT_ONCE = 2

function send({ path, sha256 }) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(readFileSync(path), {
      endpoint,
      metadata: { sha256 },
      headers: { Authorization: `Bearer ${token}` },
      retryDelays: Array(4000).fill(50),
      storeFingerprintForResuming: false,
      onSuccess: resolve,
      onError: reject,
    })
    upload.start()
  })
}

async function lane() {
  for (let file; (file = files.shift()); ) await send(file)
}

try {
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
} catch (error) {
  console.error(String(error))
  process.exit(1)
}
