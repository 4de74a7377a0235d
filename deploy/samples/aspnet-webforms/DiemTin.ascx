<%@ Control Language="C#" AutoEventWireup="true" CodeFile="DiemTin.ascx.cs" Inherits="DiemTin" %>
<%-- The news of a channel, put in by the server: no script, no frame. On a page,
     as a directive at its top: @ Register Src="~/DiemTin.ascx" TagPrefix="dt" TagName="DiemTin"
     and where the news shall stand: dt:DiemTin runat="server" Address="https://tin.example.vn/embed/topics/xay-dung-dang/fragment.html?count=5" --%>
<asp:Literal ID="News" runat="server" Mode="PassThrough" EnableViewState="false" />
