<?php
require __DIR__ . '/diemtin.php';

// Replace these two by your own address and a folder that PHP may write into.
$url = getenv('DIEMTIN_FRAGMENT') ?: 'https://tin.example.vn/embed/topics/xay-dung-dang/fragment.html?count=5';
$dir = getenv('DIEMTIN_KEEP') ?: sys_get_temp_dir();
$fresh = getenv('DIEMTIN_FRESH');

header("Content-Security-Policy: default-src 'self'");
header('Content-Type: text/html; charset=utf-8');
$news = diemtin($url, $dir, $fresh === false ? 60 : (int) $fresh);
?>
<!DOCTYPE html>
<html lang="vi">
<head>
<meta charset="utf-8">
<title>Cổng thông tin</title>
</head>
<body>
<h1>Cổng thông tin</h1>
<?= $news !== '' ? $news : '<p>Tin đang được cập nhật.</p>' ?>
</body>
</html>
