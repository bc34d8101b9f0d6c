<?php
// Sends a mail as PHP applications do, waits for it and looks at what arrived.
declare(strict_types=1);

$web = getenv('MAIL_URL');

/** JSON of glassmail's API; ends the script with what it said instead. */
function get(string $url): array
{
    $context = stream_context_create(['http' => ['ignore_errors' => true, 'timeout' => 30]]);
    $answer = json_decode((string) @file_get_contents($url, false, $context), true);
    if (!is_array($answer) || isset($answer['detail'])) {
        fwrite(STDERR, ($answer['detail'] ?? "$url did not answer") . "\n");
        exit(1);
    }
    return $answer;
}

// The containers start side by side.
for ($attempt = 1; @file_get_contents("$web/readyz") === false; $attempt++) {
    if ($attempt === 60) {
        exit("$web did not answer within 30 seconds\n");
    }
    usleep(500_000);
}

$address = 'customer@shop.example';
$subject = 'Your order ' . bin2hex(random_bytes(8));
$sent = mail($address, $subject, "Thank you!\nYour code is 482913.\n", ['From' => 'Shop <shop@shop.example>']);
if (!$sent) {
    fwrite(STDERR, "mail() failed\n");
    exit(1);
}

// Answers as soon as the mail is there.
['messages' => [$message]] = get("$web/api/glass/messages/wait?timeout=20s&subject=" . urlencode($subject));
['codes' => $codes] = get("$web/api/glass/messages/{$message['id']}/extract");
echo "{$message['reversePath']} sent \"{$message['subject']}\" to {$message['recipients'][0]}, code {$codes[0]['code']}\n";
exit($message['recipients'] === [$address] && $codes[0]['code'] === '482913' ? 0 : 1);
