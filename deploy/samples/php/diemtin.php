<?php
// The news of a channel within a page of your own, put in by your server: no
// script, no frame, nothing to let in by a Content-Security-Policy.
// index.php shows how it is used. PHP 7.4 or newer, no extension.

declare(strict_types=1);

/**
 * The fragment at $url as HTML. It is asked for at most once in $fresh seconds,
 * by one visitor, for two seconds; else, and if that fails, the last good copy
 * in the folder $dir is returned, and '' if there is none.
 */
function diemtin(string $url, string $dir, int $fresh = 60): string
{
    $file = $dir . '/diemtin-' . hash('sha256', $url) . '.html';
    $tried = $file . '.tried';
    clearstatcache();
    $copy = is_file($file) ? (string) file_get_contents($file) : '';
    if (is_file($tried) && time() - filemtime($tried) < $fresh) {
        return $copy;
    }
    touch($tried); // first, so that nobody else waits too
    $body = diemtin_get($url, 2.0);
    if (strpos($body, '<div class="diemtin"') !== 0 || substr(rtrim($body), -6) !== '</div>') {
        return $copy; // an error, or cut off
    }
    $new = $file . '.' . bin2hex(random_bytes(6));
    if (file_put_contents($new, $body) === strlen($body)) {
        rename($new, $file); // whole or not at all
    }
    return $body;
}

/** The body of a GET, '' if it is not there within $seconds. */
function diemtin_get(string $url, float $seconds): string
{
    $end = microtime(true) + $seconds;
    $context = stream_context_create(['http' => ['timeout' => $seconds, 'max_redirects' => 3, 'user_agent' => 'diemtin-sample (PHP)']]);
    $in = @fopen($url, 'r', false, $context);
    if ($in === false) {
        return '';
    }
    $body = '';
    while (!feof($in) && strlen($body) < 262144) {
        $left = $end - microtime(true);
        if ($left <= 0) {
            return '';
        }
        stream_set_timeout($in, (int) $left, (int) (fmod($left, 1) * 1000000));
        $part = fread($in, 16384);
        if ($part === false || stream_get_meta_data($in)['timed_out']) {
            return '';
        }
        $body .= $part;
    }
    fclose($in);
    return $body;
}
