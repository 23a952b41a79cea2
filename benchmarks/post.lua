-- wrk's script: post one drawing over and over, and count every wrong answer.
-- Usage: wrk -s benchmarks/post.lua ADDRESS -- FILE PATH TEXT (the body, JSON; where to; what each answer has)
-- The last line of the output: requests, microseconds, wrong or lost answers, p50 and p99 in ms.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  wrong = 0
  wrk.method = "POST"
  wrk.path = arguments[2]
  expected = arguments[3]
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = io.open(arguments[1]):read("*a")
end

function response(status, headers, body)
  if status ~= 200 or not body:find(expected, 1, true) then wrong = wrong + 1 end
end

function done(summary, latency)
  local sum = 0
  for _, thread in ipairs(threads) do sum = sum + thread:get("wrong") end
  local lost = summary.errors
  io.write(string.format("\n%d %d %d %f %f", summary.requests, summary.duration,
    sum + lost.connect + lost.read + lost.write + lost.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
